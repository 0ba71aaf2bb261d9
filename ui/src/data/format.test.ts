import { expect, test } from 'vitest';
import { age, bytes, count, duration, fullNumber, number4 } from './format';

test('a number has four digits that count', () => {
  const said = [0, -0, 1, 0.98314, 12345.6, 0.001, 0.00031, 1234567, -3.14159, 1e300, 999999.7, 0.99999].map((value) => number4(value));
  expect(said).toEqual(['0', '−0', '1', '0.9831', '12346', '0.001', '3.1e−4', '1.235e6', '−3.142', '1e300', '1e6', '1']);
});

test('what is no number has a word', () => {
  expect([Number.NaN, Infinity, -Infinity].map((value) => number4(value))).toEqual(['NaN', '∞', '−∞']);
});

test('an integer beyond 2⁵³ is shown short and copied whole', () => {
  expect(number4(9007199254740993n)).toBe('9.007e15');
  expect(fullNumber(9007199254740993n)).toBe('9007199254740993');
});

test('a full number reads back as the same', () => {
  for (const value of [0.1 + 0.2, 1e-320, -0, 1.7976931348623157e308]) expect(Object.is(Number(fullNumber(value)), value)).toBe(true);
});

test('counts, sizes, ages and lengths of time use the largest units', () => {
  expect([count(999), count(12345), count(1234567)]).toEqual(['999', '12 345', '1 234 567']);
  expect([bytes(0), bytes(999), bytes(2100), bytes(34e6), bytes(999_600)]).toEqual(['0 B', '999 B', '2.1 kB', '34 MB', '1 MB']);
  expect([1e3, 40e3, 180e3, 5 * 3600e3, 50 * 3600e3].map((ago) => age(0, ago))).toEqual(['now', '40 s', '3 m', '5 h', '2 d']);
  expect([0.0123, 0.4, 12, 131, 3900, 90000, 59.7, -5].map(duration)).toEqual(['12 ms', '0.4 s', '12 s', '2 m 11 s', '1 h 05 m', '1 d 01 h', '1 m 00 s', '−5 s']);
});
