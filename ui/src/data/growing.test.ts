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
});

test('the count of points is that of the curves as they are now', () => {
  const tail = new Map([['a', [[2, 3], [3, 1]] as const]]);
  const one = grownFrame(frame([curve('a', [1, 2])]), tail);
  expect([one.points, one.growing]).toEqual([[4, 4], true]);
  expect(grownFrame(frame([curve('a', [1, 2]), curve('b', [1])], { points: [1, 2] }), tail).points).toEqual([1, 4]);
  expect(grownFrame(frame([curve('a', [1, 2]), curve('b', [1, 2, 3, 4])], { points: [2, 4] }), tail).points).toEqual([4, 4]);
});

test('of a window, or where not all runs are curves, no count is made up', () => {
  const tail = new Map([['a', [[9, 3]] as const]]);
  expect(grownFrame(frame([curve('a', [1, 2])], { points: [500, 500] }), tail).points).toEqual([501, 501]);
  expect(grownFrame(frame([curve('a', [1, 2])], { with: 40, points: [1, 7] }), tail).points).toEqual([1, 7]);
});

test('nothing new leaves the frame as it is', () => {
  const before = frame([curve('a', [1, 2])]);
  expect(grownFrame(before, new Map([['a', [[1, 9]]]]))).toBe(before);
});
