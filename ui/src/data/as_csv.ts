/** The numbers of a chart as CSV (RFC 4180), as they were drawn and unrounded. */
import { fullNumber } from './format';
import type { Curve, Frame } from './frames';

const HEAD = ['run', 'name', 'metric', 'x', 'value', 'lowest', 'highest'];

/** Quote a cell where it must be; one that a spreadsheet would run as a formula gets an apostrophe first. */
export function cell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

const line = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;

function* curveLines(curve: Curve, name: string, metric: string): Generator<string> {
  const marks = new Map(curve.marks.map(([x, value]) => [x, value]));
  for (let i = 0; i < curve.x.length; i++) {
    const x = curve.x[i] as number;
    const value = curve.y[i] as number;
    if (curve.thinned && Number.isNaN(value)) continue;
    const low = curve.low ? fullNumber(curve.low[i] as number) : '';
    const high = curve.high ? fullNumber(curve.high[i] as number) : '';
    yield line([curve.id, name, metric, fullNumber(x), fullNumber(Number.isNaN(value) ? (marks.get(x) ?? value) : value), low, high]);
  }
}

/** Write the curves, or where only bands are drawn the bands; `names` by the run's id. */
export function asCsv(frame: Frame, names: ReadonlyMap<string, string>, hidden: ReadonlySet<string> = new Set()): string {
  if (frame.curves.length === 0) return bandsCsv(frame);
  let text = line(HEAD);
  for (const curve of frame.curves) {
    if (hidden.has(curve.id)) continue;
    for (const each of curveLines(curve, names.get(curve.id) ?? '', frame.metric)) text += each;
  }
  return text;
}

function bandsCsv(frame: Frame): string {
  let text = line(['group', 'metric', 'x', 'runs', frame.bands[0]?.centreName ?? 'centre', 'low', 'high']);
  for (const band of frame.bands) {
    const group = band.params ? JSON.stringify(band.params) : '';
    for (let i = 0; i < band.x.length; i++) {
      const numbers = [band.x, band.count, band.centre, band.low, band.high].map((each) => fullNumber(each[i] as number));
      text += line([group, frame.metric, ...numbers]);
    }
  }
  return text;
}
