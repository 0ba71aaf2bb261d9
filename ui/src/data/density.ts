/**
 * Hundreds of curves as one grey picture: for each pixel, how many curves pass through it.
 *
 * A canvas strokes 500 translucent paths in some 100 ms and redraws them at each step of a zoom; counting columns takes
 * a few. Each curve adds at most 1 to a pixel, so a zigzag within one column is no darker than a line; a thinned curve
 * fills its column from lowest to highest, so no peak is lost.
 *
 * The sketch: a segment costs two comparisons where points are dense; a column of a curve costs four additions, however
 * tall it is, as only where its count begins and ends is written down. Sums over the rows give the counts at the end.
 */
import { firstFrom } from './scales';
import type { Curve } from './frames';

export type Place = (value: number) => number;

export class Density {
  /** column by column: what the count changes by at each row, and one row more */
  private readonly changes: Float32Array;
  /** rows touched in each column by the curve at hand */
  private readonly top: Float64Array;
  private readonly bottom: Float64Array;
  private rows = new Float64Array(0);

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.changes = new Float32Array(width * (height + 1));
    this.top = new Float64Array(width);
    this.bottom = new Float64Array(width);
  }

  clear(): void {
    this.changes.fill(0);
  }

  /** Add a curve: `xs` are its x in pixels of the picture, `py` gives pixels, `from` and `to` are the indices to draw. */
  add(curve: Curve, xs: ArrayLike<number>, py: Place, from: number, to: number, thickness = 1): void {
    const { y, low, high } = curve;
    if (this.rows.length < to) this.rows = new Float64Array(Math.max(to, 2 * this.rows.length));
    const { rows } = this;
    for (let i = from; i < to; i++) rows[i] = py(y[i] as number);
    this.top.fill(Number.POSITIVE_INFINITY);
    this.bottom.fill(Number.NEGATIVE_INFINITY);
    if (low && high) for (let i = from; i < to; i++) this.reach(Math.floor(xs[i] as number), py(high[i] as number), py(low[i] as number));
    this.trace(curve, xs, from, to);
    this.commit(thickness / 2);
  }

  /** Reach along the line through the points. Most segments of a dense curve stay within their column: that way is short. */
  private trace(curve: Curve, xs: ArrayLike<number>, from: number, to: number): void {
    const { rows, top, bottom, width } = this;
    const { thinned } = curve;
    let before = -1;
    let lastX = 0;
    let lastRow = 0;
    let lastColumn = 0;
    for (let i = from; i < to; i++) {
      const row = rows[i] as number;
      if (row - row !== 0) {
        if (before >= 0 && (!thinned || marked(curve, i))) before = -1;
        continue;
      }
      const x = xs[i] as number;
      const column = Math.floor(x);
      if (before >= 0 && column > lastColumn) {
        if (column !== lastColumn + 1 || lastColumn < 0 || column >= width) this.line(lastX, lastRow, x, row);
        else {
          const between = lastRow + ((row - lastRow) * (column - lastX)) / (x - lastX);
          const low = between < row ? between : row;
          const high = between < row ? row : between;
          if (between < (top[lastColumn] as number)) top[lastColumn] = between;
          if (between > (bottom[lastColumn] as number)) bottom[lastColumn] = between;
          if (low < (top[column] as number)) top[column] = low;
          if (high > (bottom[column] as number)) bottom[column] = high;
        }
      } else if (column >= 0 && column < width) {
        if (row < (top[column] as number)) top[column] = row;
        if (row > (bottom[column] as number)) bottom[column] = row;
      }
      before = i;
      lastX = x;
      lastRow = row;
      lastColumn = column;
    }
  }

  private reach(column: number, a: number, b: number): void {
    if (column < 0 || column >= this.width) return;
    const { top, bottom } = this;
    if (a < (top[column] as number)) top[column] = a;
    if (b < (top[column] as number)) top[column] = b;
    if (a > (bottom[column] as number)) bottom[column] = a;
    if (b > (bottom[column] as number)) bottom[column] = b;
  }

  /** Reach along a segment over two columns or more. */
  private line(x0: number, y0: number, x1: number, y1: number): void {
    const last = Math.floor(x1);
    let column = Math.floor(x0);
    const slope = (y1 - y0) / (x1 - x0);
    let enters = y0;
    if (column < 0) {
      column = 0;
      enters = y0 - slope * x0;
    }
    for (const end = Math.min(last, this.width); column < end; column++) {
      const leaves = y0 + slope * (column + 1 - x0);
      this.reach(column, enters, leaves);
      enters = leaves;
    }
    this.reach(last, enters, y1);
  }

  /** Write down the columns of the curve, with soft ends. */
  private commit(half: number): void {
    const { width, height, changes, top, bottom } = this;
    for (let column = 0, base = 0; column < width; column++, base += height + 1) {
      const upper = Math.max(0, (top[column] as number) - half);
      const lower = Math.min(height, (bottom[column] as number) + half);
      if (!(upper < lower)) continue;
      const first = base + Math.floor(upper);
      const last = base + Math.ceil(lower) - 1;
      if (first === last) {
        changes[first] = (changes[first] as number) + lower - upper;
        changes[first + 1] = (changes[first + 1] as number) - lower + upper;
        continue;
      }
      const above = upper - Math.floor(upper);
      const below = Math.ceil(lower) - lower;
      changes[first] = (changes[first] as number) + 1 - above;
      changes[first + 1] = (changes[first + 1] as number) + above;
      changes[last] = (changes[last] as number) - below;
      changes[last + 1] = (changes[last + 1] as number) - 1 + below;
    }
  }

  /** Visit each pixel that any curve passes through. */
  private each(visit: (at: number, count: number) => void): void {
    const { width, height, changes } = this;
    for (let column = 0, base = 0; column < width; column++, base += height + 1) {
      let count = 0;
      for (let row = 0, at = column; row < height; row++, at += width) {
        count += changes[base + row] as number;
        if (count > 0.001) visit(at, count);
      }
    }
  }

  /** How many curves pass through each pixel, row by row. */
  counts(): Float32Array {
    const found = new Float32Array(this.width * this.height);
    this.each((at, count) => (found[at] = count));
    return found;
  }

  /** Give the picture in one colour; a pixel with n curves is 1 − (1 − alpha)ⁿ opaque. */
  image([r, g, b]: readonly [number, number, number], alpha: number): Uint8ClampedArray<ArrayBuffer> {
    const words = new Uint32Array(this.width * this.height);
    const colour = (b << 16) | (g << 8) | r;
    const keep = Math.log(1 - alpha);
    const table = Uint32Array.from({ length: 1025 }, (_, i) => ((Math.round(255 * (1 - Math.exp((keep * i) / 16))) << 24) | colour) >>> 0);
    this.each((at, count) => (words[at] = table[count >= 64 ? 1024 : (count * 16 + 0.5) | 0] as number));
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
