import { expect, test } from 'vitest';
import { paramRows, searched, valueText } from './params';

test('values are written on one line, numbers unbent', () => {
  expect([1e-3, 'a b', null, true, [1, 'x', NaN], 9007199254740993n, { a: Infinity }].map(valueText)).toEqual([
    '0.001', 'a b', 'null', 'true', '[1,"x","NaN"]', '9007199254740993', '{"a":"Infinity"}',
  ]); // prettier-ignore
});

test('a row says whether it differs from the group, and what earlier attempts had', () => {
  const rows = paramRows({ lr: 0.1, 'model.width': 64 }, ['lr'], { lr: { '1': 0.2 } });
  expect(rows.map(({ key, prefix, name, differs, was }) => [key, prefix, name, differs, was])).toEqual([
    ['lr', '', 'lr', true, '0.2 from attempt 1'],
    ['model.width', 'model.', 'width', false, ''],
  ]);
});

test('a search finds all its words in key or value, case ignored', () => {
  const rows = paramRows({ 'optimizer.name': 'AdamW', 'optimizer.lr': 0.1, data: 'cifar' }, []);
  const keys = (search: string) => searched(rows, search).map((row) => row.key);
  expect(keys('opt adam')).toEqual(['optimizer.name']);
  expect(keys('lr=0.1')).toEqual(['optimizer.lr']);
  expect(keys('')).toEqual(rows.map((row) => row.key));
  expect(keys('nothing')).toEqual([]);
});

test('keys of every object are keys like any other', () => {
  const params = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}') as Record<string, number>;
  expect(paramRows(params, ['constructor'], {}).map((row) => [row.key, row.text, row.was])).toEqual([
    ['__proto__', '1', ''], ['constructor', '2', ''], ['toString', '3', ''],
  ]); // prettier-ignore
});
