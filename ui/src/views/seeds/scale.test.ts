import { expect, test } from 'vitest';
import { ticksOf } from './scale';

test('ticks are round and inside', () => {
  expect(ticksOf([0.72, 0.815], 4)).toEqual([0.75, 0.8]);
  expect(ticksOf([-3, 12], 5)).toEqual([0, 5, 10]);
  expect(ticksOf([1, 1], 5)).toEqual([]);
  expect(ticksOf([0, 1e-12], 3).length).toBeGreaterThan(1);
});
