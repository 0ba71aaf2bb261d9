import { expect, test } from 'vitest';
import { curve } from './made_curves';
import { perBucket, smoothed, smoothedCurve } from './smoothing';

const of = (...values: number[]): Float64Array => Float64Array.from(values);

test('the average begins at the first value and stays at a constant', () => {
  for (const constant of [3, 0.1, -1e300]) {
    for (const weight of [0.1, 0.9, 0.999]) expect(new Set(smoothed(new Float64Array(500).fill(constant), weight))).toEqual(new Set([constant]));
  }
  expect(smoothed(of(7, 0), 0.99)[0]).toBeCloseTo(7, 12);
});

test('it is the one that Python draws', () => {
  // runfolio.query.plot.smooth.smoothed([1, 2, 4, 8], 0.6)
  expect([...smoothed(of(1, 2, 4, 8), 0.6)].map((value) => value.toFixed(6))).toEqual(['1.000000', '1.625000', '2.836735', '5.209559']);
});

test('values whose distance is more than a number holds are averaged all the same', () => {
  expect(smoothed(of(1.7e308, -1.7e308), 0.5)[1]).toBeCloseTo(-1.7e308 / 3, -300);
});

test('NaN and the infinities stay where they are and do not touch the average', () => {
  const found = smoothed(of(1, Number.NaN, Infinity, 1), 0.5);
  expect(found[1]).toBeNaN();
  expect(found[2]).toBe(Infinity);
  expect(found[3]).toBeCloseTo(1, 12);
});

test('a bucket weighs as much as the points in it', () => {
  expect(smoothed(of(0, 1), 0.9, 1e6)[1]).toBeCloseTo(1, 12);
  const thinned = curve('a', [1, Number.NaN, 2], { thinned: true, points: 20 });
  expect(perBucket(thinned)).toBe(10);
});

test('the average of the server, over all points, is taken where it came', () => {
  const smooth = of(3, 3);
  expect(smoothedCurve(curve('a', [1, 2], { thinned: true, smooth }), 0.9)).toBe(smooth);
});
