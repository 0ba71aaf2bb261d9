/** The whole table as text, for a spreadsheet or a script. */
import { askRuns, type Selected } from '../../api/client';
import type { Value } from '../../api/types';
import { csvOf } from './cells';

const AT_ONCE = 1000;

/** All runs of the selection in their order, with these columns, every digit kept. */
export async function tableCsv(store: string, selected: Selected, sort: string, columns: readonly string[]): Promise<string> {
  const keys = ['name', 'status', ...columns.filter((key) => !key.startsWith('sparkline.'))];
  const rows: Value[][] = [];
  for (let offset = 0; ; offset += AT_ONCE) {
    const answer = await askRuns(store, { ...selected, sort, column: keys, offset, limit: AT_ONCE });
    answer.ids.forEach((id, at) => rows.push([id, ...keys.map((key) => answer.columns[key]?.[at] ?? null)]));
    if (answer.ids.length === 0 || offset + answer.ids.length >= answer.total) break;
  }
  return csvOf(['id', ...keys], rows);
}

/** The same selection in Python. */
export function asPython(selected: Selected, sort: string): string {
  const said = [selected.q ? JSON.stringify(selected.q) : '', sort ? `sort=${JSON.stringify(sort)}` : ''];
  if (selected.archived) said.push('archived=True');
  if (selected.deleted) said.push('deleted=True');
  return `import runfolio\n\nruns = runfolio.open_store().runs(${said.filter(Boolean).join(', ')})\n`;
}

export function save(name: string, text: string, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
