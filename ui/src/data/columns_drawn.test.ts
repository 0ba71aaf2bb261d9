import { expect, test } from 'vitest';
import { asksForLog, axisOf, brushed, cellText, shadeAt } from './columns_drawn';

test('numbers stand by their value, words by their order, what is missing nowhere', () => {
  const numbers = axisOf('a', [0, 5, 10, null, Number.NaN, 10n], false);
  expect([...numbers.at]).toEqual([0, 0.5, 1, Number.NaN, Number.NaN, 1]);
  expect(numbers.missing).toBe(2);
  const words = axisOf('b', ['v10', 'v9', null, true], false);
  expect([...words.at]).toEqual([1, 0.5, Number.NaN, 0]);
  expect(words.ticks.map(({ text }) => text)).toEqual(['true', 'v9', 'v10']);
});

test('on a log axis 0 and below have no place', () => {
  const axis = axisOf('lr', [1e-4, 1e-2, 0, -1], true);
  expect([...axis.at].map((at) => (Number.isNaN(at) ? null : Math.round(at * 100)))).toEqual([0, 100, null, null]);
});

test('a column over decades asks for a log axis', () => {
  expect(asksForLog([1e-5, 1e-2])).toBe(true);
  expect(asksForLog([0, 1e6])).toBe(false);
  expect(asksForLog(['a'])).toBe(false);
});

test('brushes leave the rows that lie within all of them', () => {
  const axes = [axisOf('a', [0, 5, 10], false), axisOf('b', [1, null, 3], false)];
  expect(brushed(axes, new Map([['a', [0.4, 1]]]))).toEqual([false, true, true]);
  expect(brushed(axes, new Map([['a', [0.4, 1]], ['b', [0, 1]]]))).toEqual([false, false, true]);
});

test('a colour follows its place, and cells have words', () => {
  expect(shadeAt(0, false)).toBe('rgb(0 51 111)');
  expect(shadeAt(1, false)).toMatch(/^rgb\(20[34] 154 10\)$/);
  expect([cellText(null), cellText(0.123456), cellText('x'), cellText(true)]).toEqual(['–', '0.1235', 'x', 'true']);
});
