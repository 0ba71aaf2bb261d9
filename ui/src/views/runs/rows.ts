/** Rows of the table as nouns, and where unfolded groups put their runs. Pure. */
import type { FoldedRow, RunsAnswer, Status, Value } from '../../api/types';
import { visible } from '../../data/visible';

export interface RunRow {
  kind: 'run';
  id: string;
  /** 1: it stands under its group */
  depth: 0 | 1;
  cells: Record<string, Value>;
  spark: readonly (number | null)[] | null;
  /** it came while we looked */
  fresh: boolean;
}

export interface GroupRow extends FoldedRow {
  kind: 'group';
  key: string;
  /** what the runs hold beside the folded metric; null: not asked for yet */
  members: RunRow[] | null;
  open: boolean;
}

export type Row = RunRow | GroupRow;

export function runRows(answer: RunsAnswer, depth: 0 | 1 = 0): RunRow[] {
  const columns = Object.entries(answer.columns);
  return answer.ids.map((id, at) => ({
    kind: 'run',
    id,
    depth,
    cells: Object.fromEntries(columns.map(([key, values]) => [key, values[at] ?? null])),
    spark: answer.sparklines?.[at] ?? null,
    fresh: false,
  }));
}

export const statusOf = (row: RunRow): Status => (row.cells.status as Status | undefined) ?? 'running';
/** What a run is called, with every character of it to be seen. */
export const nameOf = (row: RunRow): string => (typeof row.cells.name === 'string' && visible(row.cells.name)) || row.id.slice(0, 8);

export function groupKey(params: Record<string, Value>): string {
  return JSON.stringify(params, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

/** How many runs an open group shows under it; the rest is reached by a filter. */
export const MEMBERS_MAX = 100;

/** Where rows stand once some groups, by their place among groups, are open with so many runs under them. */
export class Places {
  private readonly at: number[] = [];
  private readonly before: number[] = [];
  private readonly counts: number[] = [];
  readonly total: number;

  constructor(groups: number, open: ReadonlyMap<number, number>) {
    let sum = 0;
    for (const [group, count] of [...open].sort((a, b) => a[0] - b[0])) {
      this.at.push(group);
      this.before.push(sum);
      this.counts.push(count);
      sum += count;
    }
    this.total = groups + sum;
  }

  /** The group of a row, and which of its members it is; -1: the group itself. */
  find(row: number): { group: number; member: number } {
    for (let i = this.at.length - 1; i >= 0; i--) {
      const start = (this.at[i] ?? 0) + (this.before[i] ?? 0);
      if (row < start) continue;
      const count = this.counts[i] ?? 0;
      if (row === start) return { group: this.at[i] ?? 0, member: -1 };
      if (row <= start + count) return { group: this.at[i] ?? 0, member: row - start - 1 };
      return { group: row - (this.before[i] ?? 0) - count, member: -1 };
    }
    return { group: row, member: -1 };
  }
}
