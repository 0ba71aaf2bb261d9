/** Curves that grow while they are looked at: points that came live, until the server is asked again. */
import type { Curve, Frame, Values } from './frames';

export type Point = readonly [x: number, value: number];

const joined = (values: Values, more: number[]): Float64Array => {
  const all = new Float64Array(values.length + more.length);
  all.set(values);
  all.set(more, values.length);
  return all;
};

/** Add points behind a curve's last one; what does not lie behind it waits for the next answer of the server. */
export function grown(curve: Curve, points: readonly Point[]): Curve {
  let last = curve.x.at(-1) ?? Number.NEGATIVE_INFINITY;
  const fresh = points.filter(([x]) => x > last && ((last = x), true));
  if (fresh.length === 0) return curve;
  const values = fresh.map(([, value]) => (Number.isFinite(value) ? value : Number.NaN));
  return {
    ...curve,
    x: joined(curve.x, fresh.map(([x]) => x)),
    y: joined(curve.y, values),
    low: curve.low && joined(curve.low, values),
    high: curve.high && joined(curve.high, values),
    smooth: null,
    points: curve.points + fresh.length,
    marks: [...curve.marks, ...fresh.filter(([, value]) => !Number.isFinite(value))],
  };
}

/** Give a frame whose curves have grown; the same frame where none has. */
export function grownFrame(frame: Frame, tails: ReadonlyMap<string, readonly Point[]>): Frame {
  if (tails.size === 0) return frame;
  const curves = frame.curves.map((curve) => grown(curve, tails.get(curve.id) ?? []));
  return curves.some((curve, i) => curve !== frame.curves[i]) ? { ...frame, curves, points: grownPoints(frame, curves), growing: true } : frame;
}

function grownPoints(frame: Frame, now: readonly Curve[]): Frame['points'] {
  const [fewest, most] = frame.points;
  const more = now.map(({ points }, i) => points - (frame.curves[i]?.points ?? 0));
  // of a window the curves count only what lies in it: of one run, what came is added to the whole
  if (frame.with === 1) return [fewest + (more[0] ?? 0), most + (more[0] ?? 0)];
  const [low, high] = leastMost(now);
  const [lowBefore, highBefore] = leastMost(frame.curves);
  const isAll = now.length === frame.with && lowBefore === fewest && highBefore === most;
  return isAll ? [low, high] : [fewest, Math.max(most, high)];
}

const leastMost = (curves: readonly Curve[]): [number, number] =>
  curves.reduce<[number, number]>(([low, high], { points }) => [Math.min(low, points), Math.max(high, points)], [Number.POSITIVE_INFINITY, 0]);
