/** The same figure in Python: what runfolio needs to be asked for it (docs/guide/plotting.md). */

export interface Figure {
  /** the name under which the server shows the store */
  store: string;
  metrics: readonly string[];
  q: string;
  runs: readonly string[];
  x: string;
  logX?: boolean;
  logY: boolean;
  /** the window on x that is shown; null: all of it */
  zoom?: readonly [number, number] | null;
  smooth: number;
  group: readonly string[];
}

/** A Python string. JSON's escapes are Python's too, but for surrogates by pairs, which need none. */
export function text(value: string): string {
  return JSON.stringify(value).replaceAll('\u007f', '\\u007f').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

function axis(x: string): string | null {
  if (x === 'step') return null;
  if (x.startsWith('metric:')) return text(x.slice('metric:'.length));
  return '"time"';
}

function chosen({ q, runs }: Figure): string {
  if (runs.length > 0) return text(`id in (${runs.map((id) => `"${id}"`).join(', ')})`);
  return q.trim() === '' ? '' : text(q);
}

function options({ x, logY, smooth, group }: Figure): string {
  const said = [];
  if (group.length > 0) said.push(group[0] === '*' ? '' : `group_by=[${group.map(text).join(', ')}]`);
  const axisText = axis(x);
  if (axisText !== null) said.push(`x=${axisText}`);
  if (smooth > 0) said.push(`smooth=${smooth}`);
  if (logY) said.push('log_y=True');
  return said.filter(Boolean).map((each) => `, ${each}`).join('');
}

/** What is said to matplotlib of one panel: of an axis of time the window is measured otherwise there. */
function axisX({ metrics, x, logX, zoom }: Figure): string[] {
  if (metrics.length !== 1) return [];
  const isSame = x === 'step' || x.startsWith('metric:');
  return [...(logX ? ['ax.set_xscale("log")'] : []), ...(zoom && isSame ? [`ax.set_xlim(${zoom[0]}, ${zoom[1]})`] : [])];
}

/** Write code that draws the figure and reads its numbers. */
export function asPython(figure: Figure): string {
  const { store, metrics } = figure;
  const comment = store.replace(/[\r\n\u2028\u2029]/g, ' ');
  return [
    'import runfolio',
    '',
    `# store: ${comment}`,
    'store = runfolio.open_store()  # the default one; another: open_store("path")',
    `runs = store.runs(${chosen(figure)})`,
    `ax = runs.plot(${metrics.map(text).join(', ')}${options(figure)})`,
    ...axisX(figure),
    '',
    `series = {run.id: run.series(${text(metrics[0] ?? '')}) for run in runs}  # every point, unrounded`,
    '',
  ].join('\n');
}
