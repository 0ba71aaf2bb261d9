import { expect, test } from 'vitest';
import { steady } from './steady';

test('the same fields give the same object, and others another', () => {
  const kept = steady<{ a: unknown; b?: unknown }>();
  const list = [1];
  const first = kept({ a: list, b: Number.NaN });
  expect(kept({ a: list, b: Number.NaN })).toBe(first);
  expect(kept({ a: [1], b: Number.NaN })).not.toBe(first);
  const without = kept({ a: list });
  expect(without).toEqual({ a: list });
  expect(kept({ a: list, b: undefined })).not.toBe(without);
});
