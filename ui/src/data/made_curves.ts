/** Curves and frames made by hand, for tests. */
import type { Band, Curve, Frame } from './frames';

export function curve(id: string, y: number[], more: Partial<Curve> = {}): Curve {
  return { id, x: Float64Array.from(y, (_, i) => i), y: Float64Array.from(y), low: null, high: null, smooth: null, points: y.length, thinned: false, marks: [], final: null, ...more };
}

export function frame(curves: Curve[], more: Partial<Frame> = {}): Frame {
  const longest = Math.max(0, ...curves.map(({ points }) => points));
  return {
    metric: 'm0', goal: null, x: 'step', runs: curves.length, with: curves.length, drawn: curves.length, points: [longest, longest],
    thinned: curves.some(({ thinned }) => thinned), buckets: 600, range: [0, longest - 1], curves, bands: [], words: '', ...more,
  };
}

export function band(y: number[], more: Partial<Band> = {}): Band {
  return {
    params: null, ids: [], runs: 3, x: Float64Array.from(y, (_, i) => i), count: Float64Array.from(y, () => 3), centre: Float64Array.from(y),
    low: Float64Array.from(y, (v) => v - 1), high: Float64Array.from(y, (v) => v + 1), centreName: 'median', bandName: '10–90 % of the runs', ...more,
  };
}
