import { expect, test } from 'vitest';
import { sparkPath } from './spark';

test('a curve fills its box, and what is no number is a gap', () => {
  expect(sparkPath([0, 1], 12, 10)).toBe('M1.0 8.0L11.0 2.0');
  expect(sparkPath([0, null, 1, Number.NaN, Infinity, 0.5], 12, 10)).toBe('M1.0 8.0M5.0 2.0M11.0 5.0');
});

test('a level curve and a single point stand in the middle, and of nothing there is nothing', () => {
  expect(sparkPath([3, 3], 12, 10)).toBe('M1.0 5.0L11.0 5.0');
  expect(sparkPath([3], 12, 10)).toBe('M1.0 5.0');
  expect(sparkPath([null], 12, 10)).toBe('');
});
