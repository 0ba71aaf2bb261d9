/**
 * Hundreds of curves as one grey picture: for each pixel, how many curves pass through it.
 *
 * A canvas strokes 500 translucent paths in some 100 ms and redraws them at each step of a zoom; counting columns takes
 * a few. Each curve adds at most 1 to a pixel, so a zigzag within one column is no darker than a line; a thinned curve
 * fills its column from lowest to highest, so no peak is lost.
 */
import { firstFrom } from './scales';
import type { Curve } from './frames';

export type Place = (value: number) => number;

export class Density {
  readonly counts: Float32Array;
  /** rows touched in each column by the curve at hand */
  private readonly top: Float32Array;
  private readonly bottom: Float32Array;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.counts = new Float32Array(width * height);
    this.top = new Float32Array(width);
    this.bottom = new Float32Array(width);
  }

  clear(): void {
    this.counts.fill(0);
  }

  /** Add a curve: `px` and `py` give pixels within the picture, `xs` are the curve's x in pixels where already known. */
  add(curve: Curve, xs: ArrayLike<number>, py: Place, from: number, to: number, thickness = 1): void {
    this.top.fill(Number.POSITIVE_INFINITY);
    this.bottom.fill(Number.NEGATIVE_INFINITY);
    const { y, low, high } = curve;
    let before = -1;
    for (let i = from; i < to; i++) {
      const value = py(y[i] as number);
      if (!Number.isFinite(value)) {
        if (!curve.thinned || marked(curve, i)) before = -1;
        continue;
      }
      const x = xs[i] as number;
      if (low && high) this.reach(x, py(low[i] as number), py(high[i] as number));
      if (before >= 0) this.line(xs[before] as number, py(y[before] as number), x, value);
      else this.reach(x, value, value);
      before = i;
    }
    this.commit(thickness / 2);
  }

  private reach(x: number, a: number, b: number): void {
    const column = Math.floor(x);
    if (column < 0 || column >= this.width) return;
    const [upper, lower] = a < b ? [a, b] : [b, a];
    if (upper < (this.top[column] as number)) this.top[column] = upper;
    if (lower > (this.bottom[column] as number)) this.bottom[column] = lower;
  }

  private line(x0: number, y0: number, x1: number, y1: number): void {
    const first = Math.max(0, Math.floor(x0));
    const last = Math.min(this.width - 1, Math.floor(x1));
    const slope = x1 > x0 ? (y1 - y0) / (x1 - x0) : 0;
    for (let column = first; column <= last; column++) {
      const a = column <= x0 ? y0 : y0 + slope * (column - x0);
      const b = column + 1 >= x1 ? y1 : y0 + slope * (column + 1 - x0);
      const upper = a < b ? a : b;
      const lower = a < b ? b : a;
      if (upper < (this.top[column] as number)) this.top[column] = upper;
      if (lower > (this.bottom[column] as number)) this.bottom[column] = lower;
    }
  }

  /** Count the columns of the curve, with soft ends. */
  private commit(half: number): void {
    const { width, height, counts } = this;
    for (let column = 0; column < width; column++) {
      const upper = (this.top[column] as number) - half;
      const lower = (this.bottom[column] as number) + half;
      if (!(lower > 0) || !(upper < height)) continue;
      const from = upper < 0 ? 0 : Math.floor(upper);
      const to = lower > height ? height : Math.ceil(lower);
      for (let row = from, at = from * width + column; row < to; row++, at += width) {
        const above = upper > row ? upper - row : 0;
        const below = lower < row + 1 ? row + 1 - lower : 0;
        counts[at] = (counts[at] as number) + 1 - above - below;
      }
    }
  }

  /** Give the picture in one colour; a pixel with n curves is 1 − (1 − alpha)ⁿ opaque. */
  image([r, g, b]: readonly [number, number, number], alpha: number): Uint8ClampedArray<ArrayBuffer> {
    const words = new Uint32Array(this.counts.length);
    const colour = (b << 16) | (g << 8) | r;
    const keep = Math.log(1 - alpha);
    const table = Uint32Array.from({ length: 1025 }, (_, i) => ((Math.round(255 * (1 - Math.exp((keep * i) / 16))) << 24) | colour) >>> 0);
    const { counts } = this;
    for (let i = 0; i < counts.length; i++) {
      const n = counts[i] as number;
      if (n > 0) words[i] = table[n >= 64 ? 1024 : (n * 16 + 0.5) | 0] as number;
    }
    return new Uint8ClampedArray(words.buffer);
  }
}

/** Whether the gap at bucket i holds a NaN or an infinity, or is only empty. */
export function marked(curve: Curve, i: number): boolean {
  if (curve.marks.length === 0) return false;
  const from = i > 0 ? (curve.x[i - 1] as number) : Number.NEGATIVE_INFINITY;
  const to = i + 1 < curve.x.length ? (curve.x[i + 1] as number) : Number.POSITIVE_INFINITY;
  return curve.marks.some(([x]) => x > from && x < to);
}

/** The indices of a curve that matter for a window of x: those inside, and one more on each side. */
export function within(xs: ArrayLike<number>, low: number, high: number): [number, number] {
  const from = Math.max(0, firstFrom(xs, low) - 1);
  let to = firstFrom(xs, high);
  while (to < xs.length && (xs[to] as number) <= high) to++;
  return [from, Math.min(xs.length, to + 1)];
}

/** How opaque one of so many curves is: fainter the more there are, within what is still seen. */
export const alphaFor = (curves: number): number => Math.min(0.15, Math.max(0.08, 6 / Math.max(1, curves)));
