/** What the pointer is near: values at an x, and the curve next to a point. */
import { nearest } from './scales';
import type { Curve, Values } from './frames';
import { within, type Place } from './density';

export interface Reading {
  id: string;
  /** of the point itself, which may lie beside the cursor */
  x: number;
  value: number;
}

/** The value of a curve at `x`: at its nearest point with one, if that is nearer than `reach`. */
export function readAt(curve: Curve, y: Values, x: number, reach: number): Reading | null {
  const at = nearest(curve.x, x);
  for (const i of [at, at - 1, at + 1]) {
    const value = y[i];
    if (value === undefined || Number.isNaN(value)) continue;
    const own = curve.x[i] as number;
    return Math.abs(own - x) <= reach || (curve.x.length > 1 && inside(curve, x)) ? { id: curve.id, x: own, value } : null;
  }
  const mark = curve.marks.find(([own]) => Math.abs(own - x) <= reach);
  return mark ? { id: curve.id, x: mark[0], value: mark[1] } : null;
}

const inside = ({ x: xs }: Curve, x: number): boolean => x >= (xs[0] as number) && x <= (xs[xs.length - 1] as number);

/** Sort readings as a reader looks for them: the best first, the highest where no goal is known, NaN last. */
export function sorted(readings: readonly Reading[], goal: string | null): Reading[] {
  const sign = goal === 'min' ? 1 : -1;
  return [...readings].sort((a, b) => {
    if (Number.isNaN(a.value) || Number.isNaN(b.value)) return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value));
    return a.value === b.value ? 0 : (a.value - b.value) * sign;
  });
}

/** The curve that passes nearest to a pixel, no farther than `reach` pixels away; vertical distance to its line counts. */
export function curveNear(
  lines: Iterable<{ curve: Curve; y: Values }>,
  at: { x: number; pixelX: number; pixelY: number },
  px: Place,
  py: Place,
  reach: number,
): string | null {
  let found: string | null = null;
  let least = reach;
  for (const { curve, y } of lines) {
    const [from, to] = within(curve.x, at.x, at.x);
    for (let i = from; i < to; i++) {
      const away = distance(curve, y, i, at, px, py);
      if (away < least) {
        least = away;
        found = curve.id;
      }
    }
  }
  return found;
}

function distance(curve: Curve, y: Values, i: number, at: { pixelX: number; pixelY: number }, px: Place, py: Place): number {
  const x0 = px(curve.x[i] as number);
  const y0 = py(y[i] as number);
  const end = i + 1 < curve.x.length ? py(y[i + 1] as number) : Number.NaN;
  if (!Number.isFinite(y0)) return Number.POSITIVE_INFINITY;
  if (!Number.isFinite(end)) return Math.hypot(x0 - at.pixelX, y0 - at.pixelY);
  const [dx, dy] = [px(curve.x[i + 1] as number) - x0, end - y0];
  const along = Math.min(1, Math.max(0, ((at.pixelX - x0) * dx + (at.pixelY - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x0 + along * dx - at.pixelX, y0 + along * dy - at.pixelY);
}
