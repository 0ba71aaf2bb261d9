import { expect, test } from 'vitest';
import { decode } from './decoding';

test('numbers that JSON cannot carry come back unbent', () => {
  const text = '{"a": [{"$": "NaN"}, {"$": "Infinity"}, {"$": "-Infinity"}, {"$": "9007199254740993"}, 1.5, null]}';
  expect(decode(text)).toEqual({ a: [Number.NaN, Infinity, -Infinity, 9007199254740993n, 1.5, null] });
});

test('a param that only looks like one stays what it is', () => {
  expect(decode('[{"$$": "NaN"}, {"$$$a": 3, "b": {"$": "NaN"}}, "$"]')).toEqual([{ $: 'NaN' }, { $$a: 3, b: Number.NaN }, '$']);
});
