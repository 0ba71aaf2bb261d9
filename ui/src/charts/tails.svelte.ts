/**
 * Points that came live since the charts were asked for, by metric and run.
 *
 * `tails.append(id, metric, [step, value, time_ms])` lengthens the curve in every chart that shows it;
 * `tails.cut(metric, frame)` drops what a newer frame holds.
 */
import type { Frame } from '../data/frames';
import type { Point } from '../data/growing';

export type LivePoint = readonly [step: number | null, value: number, time_ms: number];
type OfMetric = ReadonlyMap<string, readonly LivePoint[]>;

const POINTS_MAX = 2000;
const NONE: OfMetric = new Map();

class Tails {
  private all = $state.raw<ReadonlyMap<string, OfMetric>>(new Map());

  append(id: string, metric: string, point: LivePoint): void {
    this.appendAll([[id, metric, point]]);
  }

  appendAll(points: Iterable<readonly [id: string, metric: string, point: LivePoint]>): void {
    const all = new Map(this.all);
    for (const [id, metric, point] of points) {
      const before = all.get(metric)?.get(id) ?? [];
      const last = before.at(-1);
      if (last && last[0] === point[0] && last[2] === point[2]) continue;
      all.set(metric, new Map(all.get(metric)).set(id, [...before.slice(-POINTS_MAX), point]));
    }
    this.all = all;
  }

  /** The points of a metric on an axis; only a step or a moment can be placed without asking. */
  on(metric: string, x: string): ReadonlyMap<string, readonly Point[]> {
    const place = x === 'step' ? 0 : x === 'wall' ? 2 : null;
    const found = new Map<string, readonly Point[]>();
    if (place === null) return found;
    for (const [id, points] of this.all.get(metric) ?? NONE) {
      found.set(id, points.filter((point) => point[place] !== null).map((point) => [point[place] as number, point[1]] as const));
    }
    return found;
  }

  cut(metric: string, frame: Frame): void {
    const of = this.all.get(metric);
    if (!of || of.size === 0 || frame.x !== 'step') return;
    const ends = new Map(frame.curves.map((curve) => [curve.id, curve.x.at(-1) ?? Number.NEGATIVE_INFINITY]));
    const left = new Map<string, readonly LivePoint[]>();
    for (const [id, points] of of) {
      const end = ends.get(id);
      const rest = end === undefined ? [] : points.filter(([step]) => step !== null && step > end);
      if (rest.length > 0) left.set(id, rest);
    }
    this.all = new Map(this.all).set(metric, left);
  }

  clear(): void {
    this.all = new Map();
  }
}

export const tails = new Tails();
