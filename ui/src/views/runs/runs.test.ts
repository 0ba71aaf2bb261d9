import { expect, test } from 'vitest';
import type { Names } from '../../api/types';
import { cellText, csvOf, numberIn, powerOfTen, scaleOf, tagWords } from './cells';
import { columnNoun, isDownFirst, moved, nextSort, shownColumns } from './columns';
import { nameText, offersAt, taken } from './completion';
import { intervalOf, quantile95 } from './interval';

test('a column key is read as the server reads it', () => {
  expect(columnNoun('metrics.val/acc.v2.max')).toEqual({ key: 'metrics.val/acc.v2.max', family: 'metrics', name: 'val/acc.v2', number: 'max' });
  expect(columnNoun('params.model.width')).toMatchObject({ family: 'params', name: 'model.width' });
  expect(columnNoun('duration_s')).toMatchObject({ family: 'plain', name: 'duration_s' });
});

test('pinned columns stand first, and the overview proposes where nothing was chosen', () => {
  const chosen = [
    { key: 'a', pinned: false },
    { key: 'b', pinned: true },
  ];
  expect(shownColumns(chosen, null, null).map((each) => each.key)).toEqual(['b', 'a']);
  const overview = { default: ['metrics.x.last', 'params.a', 'params.b'] } as never;
  const keys = (by: string[] | null): string[] => shownColumns(null, overview, by).map((each) => each.key);
  expect([keys(null), keys([]), keys(['a'])]).toEqual([['metrics.x.last', 'params.a', 'params.b'], ['metrics.x.last'], ['metrics.x.last', 'params.b']]);
  expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
});

test('three clicks on a header: the better way, the other, none', () => {
  expect(nextSort('', 'm', true)).toBe('-m');
  expect(nextSort('-m', 'm', true)).toBe('m');
  expect(nextSort('m', 'm', true)).toBe('');
  expect(nextSort('other', 'm', false)).toBe('m');
  expect(isDownFirst(columnNoun('metrics.acc.last'), { metric: 'acc', goal: 'min' }, true)).toBe(false);
});

test('numbers of a column share their decimals and a power of ten', () => {
  const shares = scaleOf([0.9831, 0.0412, 0.5]);
  expect(shares).toEqual({ exponent: 0, decimals: 4 });
  expect(numberIn(0.0412, shares)).toBe('0.0412');
  expect(numberIn(0.00001, shares)).toBe('1e−5');
  const big = scaleOf([1.5e6, 2.25e7]);
  expect(powerOfTen(big.exponent)).toBe('×10⁶');
  expect(numberIn(1.5e6, big)).toBe('1.50');
  expect(numberIn(-3, scaleOf([1, 64]))).toBe('−3');
  expect(numberIn(Number.NaN, shares)).toBe('NaN');
  expect(scaleOf([1e-5, 0.1]).decimals).toBeNull();
});

test('what is missing is nothing, and a tag is a word', () => {
  expect(cellText('params.a', null, scaleOf([]), 0)).toBe('');
  expect(cellText('params.a', { b: [1n] }, scaleOf([]), 0)).toBe('{"b":["1"]}');
  expect(tagWords({ baseline: true, team: 'ml' })).toEqual(['baseline', 'team=ml']);
});

test('a table as CSV keeps every digit, and no text becomes a formula', () => {
  expect(csvOf(['name', 'x'], [['a "b", c', 0.1 + 0.2], ['=1+1', null]])).toBe('name,x\r\n"a ""b"", c",0.30000000000000004\r\n\'=1+1,\r\n');
});

test('a mean has its interval from three numbers on', () => {
  expect(intervalOf([1, 2, null])).toEqual({ n: 2, mean: null, half: null });
  const { mean, half } = intervalOf([1, 2, 3]);
  expect(mean).toBe(2);
  expect(half).toBeCloseTo(2.4843, 3); // scipy.stats.t.interval(0.95, 2, 2, sem)
  expect(quantile95(31)).toBeCloseTo(2.0395, 3);
});

const NAMES: Names = {
  params: ['lr', 'model.width', 'a b'],
  metrics: ['val/acc', 'loss'],
  summary: [],
  tags: ['team'],
  goals: {},
  experiments: [{ name: 'digits', runs: 3, running: 0 }],
  objective: 'loss',
};
const offered = (text: string): string[] => offersAt(text, text.length, NAMES).items.map((each) => each.text);

test('a filter is completed where the caret stands: a name, a sign, a value, a joint', () => {
  expect(offered('l')[0]).toBe('params.lr');
  expect(offered('wid')[0]).toBe('params.model.width');
  expect(offered('params.lr ')).toContain('<=');
  expect(offered('status == ')).toContain('"failed"');
  expect(offered('status == "fa')).toEqual(['"failed"']);
  expect(offered('params.lr < 0.1 ')).toEqual(['and', 'or']);
  expect(offered('"x" in tags ')).toEqual(['and', 'or']);
  expect(offered('params.lr < 0.1 and exp')).toContain('experiment');
  expect(offered('metrics["val/acc"].m')).toContain('metrics["val/acc"].max');
  expect(offersAt('lr == ', 6, NAMES).valuesOf).toBe('lr');
});

test('an offer replaces what was typed, and a name with other signs comes in brackets', () => {
  const text = 'wid and lr < 1';
  const offers = offersAt(text, 3, NAMES);
  expect(taken(text, offers, offers.items[0] as never)).toEqual({ text: 'params.model.width and lr < 1', caret: 19 });
  expect(nameText('params', 'a b')).toBe('params["a b"]');
});
