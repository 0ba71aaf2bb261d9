/** Names at the right of a chart, each at the height where its curve leaves the window. */
import type { Values } from '../data/frames';
import { spread, type Picture } from '../data/picture';
import { nearest } from '../data/scales';
import { colourAt, type Look } from './look';
import type { Geometry } from './paint';

export interface Label {
  /** '' for a band */
  id: string;
  text: string;
  /** in CSS pixels from the top */
  y: number;
  colour: string;
}

const HEIGHT = 16;
const SIGN = 7.2; // wide, as in the fonts of most Linux machines
const SIGNS_MAX = 22;
const GROUP_SIGNS_MAX = 44;

export const NO_LABELS: { labels: readonly Label[]; more: number } = { labels: [], more: 0 };

/** How wide the names are, in CSS pixels: at most some quarter of the chart, of groups more, as these are told by nothing else. */
export function roomForLabels(picture: Picture, width: number, nameOf: (id: string) => string): number {
  if (picture.strokes.length === 0 && picture.bands.length === 0) return 0;
  const longest = (texts: readonly string[]): number => texts.reduce((most, { length }) => Math.max(most, length), 0);
  const curves = Math.min(longest(picture.strokes.map(({ id }) => nameOf(id))), SIGNS_MAX);
  const bands = Math.min(longest(picture.bands.map(({ label }) => label)), GROUP_SIGNS_MAX);
  return Math.min(Math.round(width * (picture.bands.length > 1 ? 0.42 : picture.bands.length > 0 ? 0.33 : 0.28)), 28 + Math.max(curves, bands) * SIGN);
}

/** Place as many as there is room for; bands first, then the strongest curves. */
export function placedLabels(picture: Picture, { box, py, ratio, window: [, end], span }: Geometry, look: Look, nameOf: (id: string) => string): typeof NO_LABELS {
  const bands = picture.bands.map(({ band, centre, place, label }) => ({ id: '', text: label, value: lastAt(band.x, centre, end), colour: place === null ? look.ink : colourAt(look, place) }));
  const curves = picture.strokes.map(({ id, curve, y, place }) => ({ id, text: nameOf(id), value: finite(y) ? lastAt(curve.x, y, end) : span[0], colour: colourAt(look, place) }));
  const ends = [...bands, ...curves.reverse()].filter(({ value }) => Number.isFinite(value));
  const room = Math.max(1, Math.floor(box.height / ratio / HEIGHT));
  const isFull = ends.length > room;
  const shown = isFull ? ends.slice(0, room - 1) : ends;
  const [top, bottom] = [box.top / ratio, (box.top + box.height) / ratio];
  const wanted = shown.map(({ value }) => Math.min(bottom, Math.max(top, py(Math.min(Math.max(value, span[0]), span[1])) / ratio)));
  const at = spread(wanted, HEIGHT, top + 2, bottom - 2 - (isFull ? HEIGHT : 0));
  return { labels: shown.map(({ id, text, colour }, i) => ({ id, text, colour, y: at[i] ?? 0 })), more: ends.length - shown.length };
}

/** Whether there is a value to draw; a curve without one is marks at the edge, and is named there. */
const finite = (y: Values): boolean => y.some((value) => Number.isFinite(value));

/** The last value at or before `end`. */
function lastAt(xs: Float64Array, y: ArrayLike<number>, end: number): number {
  for (let i = nearest(xs, end); i >= 0; i--) if ((xs[i] as number) <= end + Math.abs(end) * 1e-12 && Number.isFinite(y[i] as number)) return y[i] as number;
  return Number.NaN;
}
