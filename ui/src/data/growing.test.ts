import { expect, test } from 'vitest';
import { grownFrame } from './growing';
import { curve, frame } from './made_curves';

test('points that come live lengthen their curve, and no other', () => {
  const before = frame([curve('a', [1, 2]), curve('b', [1])]);
  const after = grownFrame(before, new Map([['a', [[1, 9], [2, 3], [3, Number.NaN]]]]));
  expect([...(after.curves[0]?.x ?? [])]).toEqual([0, 1, 2, 3]);
  expect([...(after.curves[0]?.y ?? [])]).toEqual([1, 2, 3, Number.NaN]);
  expect(after.curves[0]?.marks).toEqual([[3, Number.NaN]]);
  expect(after.curves[1]).toBe(before.curves[1]);
  expect(after.points).toEqual([2, 4]);
});

test('nothing new leaves the frame as it is', () => {
  const before = frame([curve('a', [1, 2])]);
  expect(grownFrame(before, new Map([['a', [[1, 9]]]]))).toBe(before);
});
