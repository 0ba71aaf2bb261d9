/** The paths of curves, for whatever can take them: a canvas, a Path2D, an SVG. */
import { marked, within, type Place } from './density';
import type { Curve, Values } from './frames';
import type { Span } from './scales';

export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

/** Draw the line through the values of a window; a gap at what is not finite, a dot where a point stands alone. */
export function traceLine(curve: Curve, y: Values, window: Span, px: Place, py: Place, pen: Pen): void {
  const [from, to] = within(curve.x, window[0], window[1]);
  let joined = 0;
  let lastX = 0;
  let lastY = 0;
  const dot = (): void => {
    if (joined === 1) pen.lineTo(lastX + 0.5, lastY);
  };
  for (let i = from; i < to; i++) {
    const at = py(y[i] as number);
    if (!Number.isFinite(at)) {
      if (curve.thinned && !marked(curve, i)) continue;
      dot();
      joined = 0;
      continue;
    }
    const x = px(curve.x[i] as number);
    if (joined === 0) pen.moveTo(x, at);
    else pen.lineTo(x, at);
    joined++;
    lastX = x;
    lastY = at;
  }
  dot();
}

/** in CSS pixels: of the dot that a curve of one point is */
export const DOT = 3;

/** The place of the only finite value; -1 where there is none or more than one. */
export function onlyOne(y: Values): number {
  let found = -1;
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) continue;
    if (found >= 0) return -1;
    found = i;
  }
  return found;
}

/** Draw what lies between two lines as closed shapes, one for each stretch without a gap. */
export function traceShade(xs: Float64Array, low: Values, high: Values, window: Span, px: Place, py: Place, pen: Pen, gap: (i: number) => boolean = () => true): void {
  const [from, to] = within(xs, window[0], window[1]);
  let stretch: number[] = [];
  const close = (): void => {
    stretch.forEach((i, k) => (k === 0 ? pen.moveTo(px(xs[i] as number), py(high[i] as number)) : pen.lineTo(px(xs[i] as number), py(high[i] as number))));
    for (const i of stretch.reverse()) pen.lineTo(px(xs[i] as number), py(low[i] as number));
    stretch = [];
  };
  for (let i = from; i < to; i++) {
    if (Number.isFinite(py(low[i] as number)) && Number.isFinite(py(high[i] as number))) stretch.push(i);
    else if (gap(i)) close();
  }
  close();
}

/**
 * Unroll a coarsely thinned curve into points that can be joined: of each bucket its lowest and highest, in the order
 * that makes the shorter way, then its last, a third of the bucket apart about its middle. No peak is lost, and none stands as a tooth.
 * `xs` is `unrolledGrid(curve.x)`, made once for all curves of a grid.
 */
export function unrolled({ y, low, high, ...rest }: Curve, xs: Float64Array): Curve {
  if (!low || !high) return { ...rest, y, low, high };
  const found = new Float64Array(3 * y.length);
  let before = Number.NaN;
  for (let i = 0; i < y.length; i++) {
    const [least, most, last] = [low[i] as number, high[i] as number, y[i] as number];
    const falls = Math.abs(most - before) + Math.abs(last - least) <= Math.abs(least - before) + Math.abs(last - most) || (before !== before && last < most);
    found[3 * i] = falls ? most : least;
    found[3 * i + 1] = falls ? least : most;
    found[3 * i + 2] = last;
    if (last === last) before = last;
  }
  return { ...rest, x: xs, y: found, low: null, high: null };
}

/** Where the points of unrolled curves stand, from the middles of buckets; the first bucket is as wide as the second. */
export function unrolledGrid(xs: Float64Array): Float64Array {
  const found = new Float64Array(3 * xs.length);
  for (let i = 0; i < xs.length; i++) {
    const at = xs[i] as number;
    const third = (i > 0 ? at - (xs[i - 1] as number) : (xs[1] ?? at) - at) / 3;
    found.set([at - third, at, at + third], 3 * i);
  }
  return found;
}

/** Collects a path as the text of an SVG's `d`, to a tenth of a pixel. */
export class SvgPen implements Pen {
  text = '';

  moveTo(x: number, y: number): void {
    this.text += `M${short(x)} ${short(y)}`;
  }

  lineTo(x: number, y: number): void {
    this.text += `L${short(x)} ${short(y)}`;
  }
}

const short = (value: number): string => String(Math.round(value * 10) / 10);
