import { expect, test } from 'vitest';
import { aired, firstFrom, logTicks, nearest, placed, rounded, shifted, ticks, tickWords, valueAt, zoomed } from './scales';

test('a value goes to its pixel and back, on both kinds of axis', () => {
  for (const log of [false, true]) {
    const place = placed([0.1, 1000], 20, 620, log);
    expect(place(0.1)).toBeCloseTo(20);
    expect(place(1000)).toBeCloseTo(620);
    expect(valueAt(place(7), [0.1, 1000], 20, 620, log)).toBeCloseTo(7);
  }
});

test('0 and below have no place on a log axis', () => {
  const place = placed([0.1, 10], 0, 100, true);
  expect(Number.isFinite(place(0)) || Number.isFinite(place(-1))).toBe(false);
});

test('ticks stand at round values within the span', () => {
  expect(ticks([0, 99], 5)).toEqual([0, 20, 40, 60, 80]);
  expect(ticks([-0.3, 0.3], 4)).toEqual([-0.2, 0, 0.2]);
  expect(ticks([0, 7200], 5, 'duration')).toEqual([0, 1800, 3600, 5400, 7200]);
  expect(ticks([3, 3], 5)).toEqual([]);
});

test('log ticks are powers of ten, with 2 and 5 where there is room', () => {
  expect(logTicks([0.01, 1000], 6)).toEqual([0.01, 0.1, 1, 10, 100, 1000]);
  expect(logTicks([1, 20], 6)).toEqual([1, 2, 5, 10, 20]);
});

test('the words of ticks have the same decimals, and units where they are long', () => {
  expect(tickWords([0, 0.5, 1])).toEqual(['0', '0.5', '1.0']);
  expect(tickWords([0, 20_000, 40_000])).toEqual(['0', '20k', '40k']);
  expect(tickWords([0, 2e-5, 4e-5])).toEqual(['0', '2e−5', '4e−5']);
  expect(tickWords([0, 1800, 3600], 'duration')).toEqual(['0', '30 m', '1 h']);
  expect(tickWords([1e-3, 1], 'number', true)).toEqual(['0.001', '1']);
});

test('zooming keeps the value under the pointer where it is', () => {
  for (const log of [false, true]) {
    const near = zoomed([1, 1000], 10, 0.5, log);
    expect(placed(near, 0, 1, log)(10)).toBeCloseTo(placed([1, 1000], 0, 1, log)(10));
  }
  expect(shifted([0, 10], 0.1, false)).toEqual([1, 11]);
});

test('a window is rounded to what a pixel tells apart', () => {
  expect(rounded([9.949999999999999, 29.849999999999998], false)).toEqual([9.95, 29.85]);
  expect(rounded([123456.789012, 987654.321098], false)).toEqual([123457, 987654].map((end) => Math.round(end / 10) * 10));
  expect(rounded([1.7e12 + 0.123456789, 1.7e12 + 5], false)).toEqual([1700000000000.1235, 1700000000005]);
  expect(rounded([0.00123456789, 12345.678912], true)).toEqual([0.0012346, 12346]);
  for (const [low, high] of [[1, 1 + 1e-12], [-3e300, 4e300], [5e-320, 6e-320]] as const) {
    const [a, b] = rounded([low, high], false);
    expect(b - a).toBeGreaterThan((high - low) * 0.999);
  }
});

test('a span without length gets one', () => {
  expect(aired([5, 5], 0.05, false)).toEqual([4.5, 5.5]);
  expect(aired([0, 0], 0.05, false)).toEqual([-1, 1]);
  expect(aired([Infinity, -Infinity], 0.05, false)).toEqual([0, 1]);
  expect(aired([Number.NaN, Number.NaN], 0.05, true)).toEqual([0.1, 10]);
});

test('the nearest of rising values is found', () => {
  expect([-1, 0.4, 0.6, 9].map((x) => nearest([0, 1, 5], x))).toEqual([0, 0, 1, 2]);
  expect(nearest([], 1)).toBe(-1);
  expect([0, 0.5, 5, 6].map((x) => firstFrom([0, 1, 5], x))).toEqual([0, 1, 2, 3]);
});
