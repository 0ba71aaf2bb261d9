import { expect, test } from 'vitest';
import { naturally } from './natural';

test('names are ordered as people count', () => {
  const names = ['m10', 'm2', 'loss', 'M3', 'm', 'Loss/b', 'loss/a', 'm2/x', 'm2/10', 'm2/9', '', 'm02'];
  expect(names.sort(naturally)).toEqual(['', 'loss', 'loss/a', 'Loss/b', 'm', 'm02', 'm2', 'm2/9', 'm2/10', 'm2/x', 'M3', 'm10']);
});

test('digits without end are told apart too', () => {
  const long = '9'.repeat(400);
  expect(naturally(`a${long}`, `a${long}1`)).toBeLessThan(0);
  expect(naturally('a', 'A')).toBeGreaterThan(0);
  expect(naturally('A', 'A')).toBe(0);
});
