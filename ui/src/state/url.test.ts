import { expect, test } from 'vitest';
import { AT_FIRST, carried, format, joinList, parse, splitList, type ViewState } from './url';

const round = (state: ViewState): ViewState => {
  const address = new URL(format(state), 'http://here');
  return parse(address.pathname, address.search);
};

test('an address says the whole state of the runs page, and can be read', () => {
  const state: ViewState = {
    ...AT_FIRST,
    store: 'bench',
    q: 'lr < 0.01 and p0 = "a+b" or name like "100%*"',
    sel: ['3f9a2c7b', '00aa11bb'],
    sort: '-metrics.m0.last',
    cols: [
      { key: 'params.a,b', pinned: true },
      { key: 'metrics.val/acc.max', pinned: false },
    ],
    by: ['lr', 'p,5'],
    m: 'm0',
    x: 'relative',
    logY: true,
    smooth: 0.6,
    zoom: [-3, 2.5e6],
    pin: ['a\\b', 'c'],
    find: 'val/*',
  };
  expect(round(state)).toEqual(state);
  expect(format({ ...AT_FIRST, store: 'bench', q: 'lr<0.01', m: 'm0' })).toBe('/bench/runs?q=lr%3C0.01&m=m0');
});

test('each page keeps what is its own, and the filter and the ticked runs hold everywhere', () => {
  const state: ViewState = { ...AT_FIRST, store: 's', q: 'a', sel: ['12345678'], sort: 'name', metric: 'm', base: 'abcdefab' };
  expect(format({ ...state, page: 'seeds' })).toBe('/s/seeds?q=a&metric=m&base=abcdefab&sel=12345678');
  expect(format({ ...state, page: 'compare' })).toBe('/s/compare?base=abcdefab&q=a&sel=12345678');
  expect(format({ ...state, page: 'run', run: '3f9a2c7b' })).toBe('/s/run/3f9a2c7b?q=a&sel=12345678');
});

test('a page at its defaults has no parameters', () => {
  expect(format({ ...AT_FIRST, store: 'a b/c' })).toBe('/a%20b%2Fc/runs');
  expect(round({ ...AT_FIRST, store: 'a b/c' }).store).toBe('a b/c');
  expect(format(AT_FIRST)).toBe('/');
});

test('folded by default, flat and grouped are three different addresses', () => {
  for (const by of [null, [], ['lr'], ['*']]) expect(round({ ...AT_FIRST, store: 's', by }).by).toEqual(by);
});

test('an address that makes no sense opens at the defaults', () => {
  expect(parse('/s/nowhere', '?zoom=7..3&smooth=9&goal=up&show=x&log=z&by=')).toEqual({ ...AT_FIRST, store: 's' });
  expect(parse('/100%/run/', '').store).toBe('100%');
});

test('a list may hold commas and backslashes', () => {
  for (const list of [[], ['a'], ['a,b', 'c\\', '\\,', 'd']]) expect(splitList(joinList(list))).toEqual(list);
});

test('a way to another page and back finds the table as it was', () => {
  const table: ViewState = { ...AT_FIRST, store: 's', sort: '-name', q: 'a', logX: true };
  const there = carried(table, parse('/s/compare', '?runs=12345678&q=b'));
  expect(there).toEqual({ ...table, page: 'compare', runs: ['12345678'], q: 'b', logX: false });
  expect(carried(there, parse('/other/runs', ''))).toEqual({ ...AT_FIRST, store: 'other' });
});

test('what is no id cannot be ticked', () => {
  expect(parse('/s/runs', '?sel=zzzzzzzz,12345678,123').sel).toEqual(['12345678']);
});
