import { expect, test } from 'vitest';
import type { Curve, Frame } from '../../data/frames';
import { minusBaseline } from './minus';

const curve = (id: string, x: number[], y: number[]): Curve => ({
  id, x: Float64Array.from(x), y: Float64Array.from(y), low: null, high: null, smooth: null, points: x.length, thinned: false, marks: [], final: null,
}); // prettier-ignore
const frame = (...curves: Curve[]): Frame => ({
  metric: 'm', goal: null, x: 'step', runs: curves.length, with: curves.length, drawn: curves.length, points: [0, 0], thinned: false, buckets: 1, range: [0, 9], curves, bands: [], words: 'm',
}); // prettier-ignore

test('the baseline is zero, the others their distance, at steps between on the line', () => {
  const found = minusBaseline(frame(curve('a', [0, 10], [0, 10]), curve('b', [0, 5, 10], [1, 7, 10])), 'a')!;
  expect([...found.curves[0]!.y]).toEqual([0, 0]);
  expect([...found.curves[1]!.y]).toEqual([1, 2, 0]);
});

test('where the baseline has nothing there is a gap', () => {
  const found = minusBaseline(frame(curve('a', [2, 3, 4], [1, Number.NaN, 1]), curve('b', [1, 2, 3, 4, 5], [1, 1, 1, 1, 1])), 'a')!;
  expect([...found.curves[1]!.y]).toEqual([NaN, 0, NaN, 0, NaN]);
});

test('the lowest and highest of thinned curves move with it', () => {
  const thin = { ...curve('b', [0, 1], [1, 2]), low: Float64Array.of(0, 1), high: Float64Array.of(2, 3) };
  const found = minusBaseline(frame(curve('a', [0, 1], [1, 1]), thin), 'a')!;
  expect([[...found.curves[1]!.low!], [...found.curves[1]!.high!]]).toEqual([[-1, 0], [1, 2]]);
});

test('without the baseline there is nothing to subtract', () => {
  expect(minusBaseline(frame(curve('a', [], [])), 'z')).toBe(null);
  expect(minusBaseline(frame(curve('a', [], []), curve('b', [1], [1])), 'a')!.curves[1]!.y[0]).toBe(NaN);
});
