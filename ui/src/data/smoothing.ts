/**
 * The exponential moving average, debiased: the same as `runfolio plot --smooth` (query/plot/smooth.py).
 *
 * Source: the correction is that of Adam (Kingma and Ba, 2015, section 3).
 */
import type { Curve, Values } from './frames';

/**
 * Give s ← w·s + (1 − w)·x from s = 0, as s / (1 − wᵏ) after k values, so that it begins at the first value.
 *
 * Written as a step from the average so far towards the value, by (1 − w) / (1 − wᵏ) of the way: what is constant stays
 * so to the last bit, where the sum would draw its rounding.
 *
 * `each` is how many points one value stands for: a bucket of 17 points weighs as 17 of them. What is not finite stays
 * where it is and does not touch the average.
 */
export function smoothed(values: Values, weight: number, each = 1): Float64Array {
  const found = new Float64Array(values.length);
  const kept = weight ** Math.max(1, each);
  let average = 0;
  let pull = 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) {
      found[i] = value;
      continue;
    }
    pull *= kept;
    const share = (1 - kept) / (1 - pull);
    const step = (value - average) * share;
    average = Number.isFinite(step) ? average + step : average * (1 - share) + value * share;
    found[i] = average;
  }
  return found;
}

/** How many points a bucket of the curve holds, on average over those that hold any. */
export function perBucket(curve: Curve): number {
  if (!curve.thinned) return 1;
  let filled = 0;
  for (const value of curve.y) if (!Number.isNaN(value)) filled++;
  return filled === 0 ? 1 : Math.max(1, curve.points / filled);
}

/** Whether the average is of all points, not of one value in each bucket. */
export const isExact = (curve: Curve): boolean => !curve.thinned || curve.smooth !== null;

/** The moving average of a curve: the server's over all points where it sent one, else over what is here. */
export function smoothedCurve(curve: Curve, weight: number): Values {
  return curve.smooth ?? smoothed(curve.y, weight, perBucket(curve));
}
