/** How far the values reach within a window. */
import { within } from './density';
import type { Frame, Values } from './frames';
import type { Picture } from './picture';
import { aired, firstFrom, type Span } from './scales';

const MOST = Number.MAX_VALUE / 8;

/** A line whose values count, by its x. */
export interface Reaching {
  x: Float64Array;
  values: readonly Values[];
}

/** The lowest and highest finite value in the window; on a log axis of those above 0. Nothing: low > high. */
export function reach(lines: Iterable<Reaching>, window: Span, log: boolean): Span {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const least = log ? 0 : Number.NEGATIVE_INFINITY;
  for (const { x, values } of lines) {
    const [from, to] = inside(x, window);
    for (const each of values) {
      for (let i = from; i < to; i++) {
        const value = each[i] as number;
        if (value > least && value < low) low = value;
        if (value > high && value < Number.POSITIVE_INFINITY && value > least) high = value;
      }
    }
  }
  // a span beyond this has no length that a double can hold
  return low <= high ? [Math.max(low, -MOST), Math.min(high, MOST)] : [low, high];
}

/** The reach without the outermost share on each side, from a sample that is large enough. */
export function reachCut(lines: Iterable<Reaching>, window: Span, log: boolean, share = 0.01): Span {
  const sample: number[] = [];
  const all = [...lines];
  const total = all.reduce((sum, { x, values }) => sum + x.length * values.length, 0);
  const every = Math.max(1, Math.floor(total / 20_000));
  let skip = 0; // carried on from line to line: else the same places of all would be looked at
  for (const { x, values } of all) {
    const [from, to] = inside(x, window);
    for (const each of values) {
      let i = from + skip;
      for (; i < to; i += every) {
        const value = each[i] as number;
        if (Number.isFinite(value) && (!log || value > 0)) sample.push(value);
      }
      skip = i - to;
    }
  }
  sample.sort((a, b) => a - b);
  const at = (place: number): number => sample[Math.round(place * (sample.length - 1))] ?? Number.NaN;
  return [at(share), at(1 - share)];
}

const ROUNDING = 1e-12; // of the values' size: below it lies what adding them up has left

/** The span of a y axis with a little air; values that differ by rounding alone are flat. */
export function spanFor([low, high]: Span, log: boolean): Span {
  const isFlat = high - low <= ROUNDING * Math.max(Math.abs(low), Math.abs(high));
  const middle = low + (high - low) / 2;
  return aired(isFlat ? [middle, middle] : [low, high], 0.04, log);
}

const FAR = 5;
const FEW = 0.025; // beyond it on each side: of thinned curves one bucket in fifty is far out at the beginning

/** Whether nearly all values lie in a small part of the reach, and if so, whether a log axis would show them all. */
export function farOut(lines: Iterable<Reaching>, window: Span): { log: boolean } | null {
  const all = [...lines];
  const [low, high] = reach(all, window, false);
  const [least, most] = reachCut(all, window, false, FEW);
  if (!(most > least) || high - low < FAR * (most - least)) return null;
  return { log: low > 0 };
}

function inside(x: Float64Array, [low, high]: Span): [number, number] {
  const [from, to] = within(x, low, high);
  if (to - from <= 2) return [from, to];
  // the neighbours outside only lead the line to the edge
  return [(x[from] as number) < low ? from + 1 : from, (x[to - 1] as number) > high ? to - 1 : to];
}

/** The first and last x of all. */
export function reachX(xs: Iterable<Float64Array>): Span {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const x of xs) {
    if (x.length === 0) continue;
    low = Math.min(low, x[0] as number);
    high = Math.max(high, x[x.length - 1] as number);
  }
  return [low, high];
}

/** The lines of a picture, as far as they reach: of a thinned curve its lowest and highest. */
export function* linesOf(picture: Picture): Generator<Reaching> {
  for (const { curve, y } of picture.grey) yield { x: curve.x, values: curve.low && curve.high ? [curve.low, curve.high] : [y] };
  for (const { curve, y, raw } of picture.strokes) yield { x: curve.x, values: curve.low && curve.high ? [curve.low, curve.high] : raw ? [y, raw] : [y] };
  for (const { band, centre } of picture.bands) yield { x: band.x, values: [band.low, band.high, band.centre, centre] };
}

/** The whole range on x; on a log axis from the first value above 0. */
export function rangeOf(frame: Frame | null, log: boolean): Span {
  if (!frame) return log ? [1, 10] : [0, 1];
  const all = [...frame.curves, ...frame.bands].map(({ x }) => x);
  const seen = reachX(all);
  const [low, high] = frame.range ? [Math.min(frame.range[0], seen[0]), Math.max(frame.range[1], seen[1])] : seen;
  if (!log || low > 0) return aired([low, high], 0, log);
  const least = Math.min(...all.map((x) => x.find((value) => value > 0) ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(least) ? aired([least, Math.max(high, least)], 0, true) : [1, 10];
}

/** What a log x axis cannot show, at 0 and below; null: nothing. */
export interface LeftOfZero {
  /** null: not known, as points were put together into buckets */
  points: number | null;
  /** all of them are at 0 */
  onlyZero: boolean;
}

/** Tell what lies at an x of 0 and below. */
export function leftOfZero(frame: Frame): LeftOfZero | null {
  let points: number | null = 0;
  let least = 1;
  for (const { x } of frame.bands) least = Math.min(least, x[0] ?? 1);
  if (least <= 0 && frame.curves.length === 0) points = null;
  for (const { x, y, thinned } of frame.curves) {
    const end = firstFrom(x, Number.MIN_VALUE);
    if (end === 0) continue;
    least = Math.min(least, x[0] as number);
    if (thinned) points = null;
    else if (points !== null) for (let i = 0; i < end; i++) if (Number.isFinite(y[i])) points++;
  }
  return least > 0 || points === 0 ? null : { points, onlyZero: least === 0 };
}

/** How many values a log y axis cannot show. */
export function belowZero(frame: Frame): number {
  let found = 0;
  for (const curve of frame.curves) for (const value of curve.low ?? curve.y) if (value <= 0) found++;
  return found;
}
