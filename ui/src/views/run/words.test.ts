import { expect, test } from 'vitest';
import { progressText, warningsOf } from './words';

test('progress says the step, of how many, and what is left while it runs', () => {
  const told = { step: 41, total_steps: 100, fraction: 0.419, left_s: 75 };
  expect(progressText(told, true)).toBe('step 41 of 100 (41 %), 1 m 15 s left');
  expect(progressText(told, false)).toBe('step 41 of 100 (41 %)');
  expect(progressText({ step: 7, total_steps: null, fraction: null, left_s: null }, true)).toBe('step 7');
  expect(progressText({ step: null, total_steps: 5, fraction: null, left_s: null }, true)).toBe('');
});

test('what was lost is said once, with its cause', () => {
  const lost = { points: 3, calls: 1, events: 0, causes: ['disk full'], since: null };
  expect(warningsOf({ warnings: [], lost, lost_points: 3, spooled_in: [], output: {} })).toEqual(['3 points could not be kept: disk full. The curves have gaps there.']);
  expect(warningsOf({ warnings: ['3 points lost'], lost, lost_points: 3, spooled_in: [], output: {} })).toEqual(['3 points lost']);
  expect(warningsOf({ warnings: [], lost: { ...lost, points: 0 }, lost_points: 0, spooled_in: [], output: {} })).toEqual([]);
});
