import { expect, test } from 'vitest';
import { curve } from './made_curves';
import { SvgPen, traceLine, traceShade, unrolled, unrolledGrid } from './outline';

const same = (value: number): number => value;
const path = (of: ReturnType<typeof curve>, window: [number, number] = [0, 99]): string => {
  const pen = new SvgPen();
  traceLine(of, of.y, window, same, same, pen);
  return pen.text;
};

test('a line joins its points, breaks at NaN, and shows a lone point as a dot', () => {
  expect(path(curve('a', [1, 2, Number.NaN, 4, Number.NaN, 5, 6]))).toBe('M0 1L1 2M3 4L3.5 4M5 5L6 6');
});

test('an infinity is no point of the line', () => {
  expect(path(curve('a', [1, Infinity, 3, 4]))).toBe('M0 1L0.5 1M2 3L3 4');
});

test('only the window is drawn, and the line into it', () => {
  expect(path(curve('a', [0, 1, 2, 3, 4, 5]), [2.5, 3.5])).toBe('M2 2L3 3L4 4');
});

test('a shade goes along the high and back along the low, anew after each gap', () => {
  const pen = new SvgPen();
  const low = Float64Array.of(0, 0, Number.NaN, 0);
  const high = Float64Array.of(5, 6, Number.NaN, 7);
  traceShade(Float64Array.of(0, 1, 2, 3), low, high, [0, 9], same, same, pen);
  expect(pen.text).toBe('M0 5L1 6L1 0L0 0M3 7L3 0');
});

test('a coarsely thinned curve is unrolled into points that keep its peaks and go the shorter way', () => {
  const xs = Float64Array.of(3, 6, 9);
  const thin = curve('a', [1, 5, Number.NaN], { x: xs, thinned: true, low: Float64Array.of(0, 1, Number.NaN), high: Float64Array.of(2, 7, Number.NaN) });
  const fine = unrolled(thin, unrolledGrid(xs));
  expect([...fine.x]).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect([...fine.y]).toEqual([2, 0, 1, 1, 7, 5, Number.NaN, Number.NaN, Number.NaN]);
  expect(fine.low).toBeNull();
});
