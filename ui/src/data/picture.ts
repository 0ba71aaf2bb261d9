/**
 * What one chart draws, decided before any pixel: which curves are grey, which have a colour, which bands there are.
 *
 * Few curves have a colour each. Many are a distribution: all in grey, the median with its band, and colour for what
 * is ticked or pointed at alone. Smoothing is for lines that are followed one by one: the grey stays as it was logged.
 */
import { count } from './format';
import type { Band, Curve, Frame, Values } from './frames';
import { COLOURS_MAX } from './colours';
import { isExact, smoothed, smoothedCurve } from './smoothing';
import { visible } from './visible';

/** More curves than this are drawn grey. */
export const FEW = 30;

export interface Stroke {
  id: string;
  curve: Curve;
  y: Values;
  /** as logged, where `y` is smoothed */
  raw: Values | null;
  /** place among the colours; null: grey */
  place: number | null;
  strong: boolean;
}

export interface Shaded {
  band: Band;
  /** the middle line, smoothed where asked for; then `raw` is as it came */
  centre: Values;
  raw: Values | null;
  /** the band's edges, smoothed like the line between them */
  low: Values;
  high: Values;
  /** place among the colours; null: neutral, of all runs */
  place: number | null;
  label: string;
}

export interface Picture {
  grey: { curve: Curve; y: Values }[];
  strokes: Stroke[];
  bands: Shaded[];
  exactSmooth: boolean;
}

export interface Emphasis {
  /** first 8 digits of the runs' ids */
  ticked: readonly string[];
  hidden: ReadonlySet<string>;
  solo: string | null;
  places: ReadonlyMap<string, number>;
  smooth: number;
  grouped: boolean;
}

/** A run is told by the first 8 digits of its id, here as in the address. */
export const short = (id: string): string => id.slice(0, 8);

/** Decide how each part of a frame is drawn. */
export function compose(frame: Frame, emphasis: Emphasis): Picture {
  const { hidden, solo, smooth } = emphasis;
  const ticked = new Set(emphasis.ticked.map(short));
  const shown = frame.curves.filter(({ id }) => !hidden.has(short(id)) && (solo === null || solo === short(id)));
  const few = frame.with <= FEW && !emphasis.grouped;
  const picture: Picture = { grey: [], strokes: [], bands: [], exactSmooth: true };
  for (const curve of shown) {
    const key = short(curve.id);
    const strong = ticked.has(key) || solo === key;
    if (!few && !strong) {
      picture.grey.push({ curve, y: curve.y });
      continue;
    }
    const y = smooth > 0 ? smoothedCurve(curve, smooth) : curve.y;
    if (smooth > 0 && !isExact(curve)) picture.exactSmooth = false;
    picture.strokes.push({ id: curve.id, curve, y, raw: smooth > 0 ? curve.y : null, place: emphasis.places.get(key) ?? null, strong });
  }
  picture.strokes.sort((a, b) => Number(a.strong) - Number(b.strong));
  if (solo === null && (!few || emphasis.grouped)) picture.bands = frame.bands.map((band, i) => shaded(band, i, emphasis));
  return picture;
}

function shaded(band: Band, index: number, { grouped, smooth }: Emphasis): Shaded {
  const line = (values: Values): Values => (smooth > 0 ? smoothed(values, smooth) : values);
  const lines = { centre: line(band.centre), raw: smooth > 0 ? band.centre : null, low: line(band.low), high: line(band.high) };
  if (!grouped || !band.params) return { band, ...lines, place: null, label: `${band.centreName} of ${count(band.runs)}` };
  const said = Object.entries(band.params).map(([key, value]) => `${key.slice(key.lastIndexOf('.') + 1)}=${value === null ? 'none' : String(value)}`);
  return { band, ...lines, place: index < COLOURS_MAX ? index : null, label: `${visible(said.join(' ')) || 'all'} (n = ${count(band.runs)})` };
}

/** Move labels apart so that none overlaps another, each as near to its place as may be. Returns their places, in the order given. */
export function spread(wanted: readonly number[], height: number, low: number, high: number): number[] {
  const order = wanted.map((at, i) => ({ at: Math.min(Math.max(at, low), high), i })).sort((a, b) => a.at - b.at);
  // neighbours that would overlap join into a block, whose top is the mean of where its labels would have it
  const blocks: { sum: number; n: number }[] = [];
  const top = ({ sum, n }: { sum: number; n: number }): number => Math.max(low, Math.min(sum / n, high - (n - 1) * height));
  for (const { at } of order) {
    let last = { sum: at, n: 1 };
    for (let before = blocks.at(-1); before && top(before) + before.n * height > top(last); before = blocks.at(-1)) {
      blocks.pop();
      last = { sum: before.sum + last.sum - last.n * before.n * height, n: before.n + last.n };
    }
    blocks.push(last);
  }
  const found = new Array<number>(wanted.length).fill(0);
  let k = 0;
  for (const block of blocks) for (let j = 0; j < block.n; j++) found[order[k++]?.i ?? 0] = top(block) + j * height;
  return found;
}
