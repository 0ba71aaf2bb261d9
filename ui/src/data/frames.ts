/**
 * The binary frame that carries curves (docs/formats/api.md, "Frames"): a JSON header, then arrays that are taken from
 * the buffer as they lie, or widened once where they were quantised. No array ever passes through JSON.
 */
import { decode } from '../api/decoding';

export type Values = Float64Array | Float32Array;

/** What a curve cannot show as a point: at `x` the value was NaN or infinite. */
export type Mark = readonly [x: number, value: number];

export interface Curve {
  id: string;
  x: Float64Array;
  /** the values; of a thinned curve the last value in each bucket. NaN is a gap */
  y: Values;
  /** the lowest and highest in each bucket, where thinned */
  low: Values | null;
  high: Values | null;
  /** the moving average, where the server was asked for one */
  smooth: Values | null;
  points: number;
  thinned: boolean;
  marks: Mark[];
  /** a value without a step */
  final: number | null;
}

export interface Band {
  params: Record<string, unknown> | null;
  ids: string[];
  runs: number;
  x: Float64Array;
  count: Values;
  centre: Values;
  low: Values;
  high: Values;
  centreName: string;
  bandName: string;
}

export interface Frame {
  metric: string;
  goal: string | null;
  x: string;
  runs: number;
  with: number;
  drawn: number;
  points: readonly [fewest: number, most: number];
  /** points have come live since, of which the stream tells but the latest: there may be more */
  growing?: boolean;
  thinned: boolean;
  buckets: number;
  range: readonly [number, number] | null;
  curves: Curve[];
  bands: Band[];
  words: string;
}

interface Told {
  at: number;
  n: number;
  as: 'f8' | 'f4' | 'i4' | 'u2';
  scale?: [number, number];
}

/** What came is not a frame. */
export class FrameError extends Error {
  override name = 'FrameError';
}

const GAP = 65535;
const WIDTH = { f8: 8, f4: 4, i4: 4, u2: 2 } as const;

/** Widen a + b·k; the low bytes of all k come first. Half precision of a double would do for the eye, unless the values stand far from 0 and near each other. */
function widened(raw: Uint8Array, n: number, [a, b]: readonly [number, number]): Values {
  const fine = Math.max(Math.abs(a), Math.abs(a + b * GAP)) < Math.abs(b) * 2 ** 22;
  const values = fine ? new Float32Array(n) : new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const k = (raw[i] as number) | ((raw[n + i] as number) << 8);
    values[i] = k === GAP ? Number.NaN : a + b * k;
  }
  return values;
}

class Body {
  constructor(
    private readonly buffer: ArrayBuffer,
    private readonly start: number,
  ) {}

  array(told: Told | undefined | null): Values | null {
    if (told === undefined || told === null) return null;
    const width = WIDTH[told.as] as number | undefined;
    const at = this.start + told.at;
    if (width === undefined) throw new FrameError(`a frame holds an array of an unknown kind, ${String(told.as)}`);
    if (!(told.at >= 0 && told.n >= 0 && at % width === 0 && at + told.n * width <= this.buffer.byteLength)) {
      throw new FrameError('a frame names an array beyond its end');
    }
    if (told.as === 'f8') return new Float64Array(this.buffer, at, told.n);
    if (told.as === 'f4') return new Float32Array(this.buffer, at, told.n);
    if (told.as === 'i4') return Float64Array.from(new Int32Array(this.buffer, at, told.n));
    return widened(new Uint8Array(this.buffer, at, 2 * told.n), told.n, told.scale ?? [0, 1]);
  }

  asked(told: Told | undefined | null): Values {
    return this.array(told) ?? new Float64Array(0);
  }

  doubles(told: Told | undefined | null): Float64Array {
    const values = this.asked(told);
    return values instanceof Float64Array ? values : Float64Array.from(values);
  }
}

interface Header extends Omit<Frame, 'curves' | 'bands'> {
  grids: Told[];
  curves: {
    id: string;
    grid: number;
    points: number;
    thinned: boolean;
    y?: Told;
    min?: Told;
    max?: Told;
    last?: Told;
    smooth?: Told;
    marks?: [number, number | string][];
    final?: number[];
  }[];
  bands: {
    params: Record<string, unknown> | null;
    ids: string[];
    runs: number;
    grid: number;
    count: Told;
    centre: Told;
    low?: Told;
    high?: Told;
    centre_name: string;
    band_name: string;
  }[];
}

function readHeader(buffer: ArrayBuffer): [Header, Body] {
  const view = new DataView(buffer);
  if (buffer.byteLength < 8 || view.getUint32(0, true) !== 0x31464652) throw new FrameError('what came is not a frame of curves');
  const length = view.getUint32(4, true);
  if (8 + length > buffer.byteLength) throw new FrameError('a frame of curves was cut off');
  const text = new TextDecoder().decode(new Uint8Array(buffer, 8, length));
  return [decode<Header>(text), new Body(buffer, 8 + length)];
}

/** Read a frame. Exact arrays are views into `buffer`, which lives as long as they do. */
export function readFrame(buffer: ArrayBuffer): Frame {
  const [{ grids: told, curves, bands, ...rest }, body] = readHeader(buffer);
  const grids = told.map((each) => body.doubles(each));
  const grid = (index: number): Float64Array => {
    const found = grids[index];
    if (!found) throw new FrameError('a frame names a grid that it does not hold');
    return found;
  };
  return {
    ...rest,
    curves: curves.map((each) => ({
      id: each.id,
      x: grid(each.grid),
      y: body.asked(each.y ?? each.last),
      low: body.array(each.min),
      high: body.array(each.max),
      smooth: body.array(each.smooth),
      points: each.points,
      thinned: each.thinned,
      marks: (each.marks ?? []).map(([x, what]) => [x, Number(what)] as const),
      final: each.final?.[0] ?? null,
    })),
    bands: bands.map((each) => ({
      params: each.params,
      ids: each.ids,
      runs: each.runs,
      x: grid(each.grid),
      count: body.asked(each.count),
      centre: body.asked(each.centre),
      low: body.asked(each.low),
      high: body.asked(each.high),
      centreName: each.centre_name,
      bandName: each.band_name,
    })),
  };
}

/** Give the frames of an answer about several metrics, each of which stands after its length in 64 bits. */
export function partsOf(buffer: ArrayBuffer, count: number): ArrayBuffer[] {
  const view = new DataView(buffer);
  const found: ArrayBuffer[] = [];
  for (let at = 0; found.length < count; ) {
    const bytes = at + 8 <= buffer.byteLength ? view.getUint32(at, true) : Infinity; // the upper half is never needed
    if (at + 8 + bytes > buffer.byteLength) throw new FrameError('an answer of several frames was cut off');
    found.push(buffer.slice(at + 8, at + 8 + bytes));
    at += 8 + Math.ceil(bytes / 8) * 8;
  }
  return found;
}
