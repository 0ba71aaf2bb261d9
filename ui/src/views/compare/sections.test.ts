import { expect, test } from 'vitest';
import type { RunFacts } from '../run/facts';
import { type Compared, type ComparedRow, comparedCsv, equalOf, rowOf, spreadOf, summaryOf } from './sections';

const row = (more: Partial<ComparedRow>): ComparedRow => ({ key: 'k', values: [], differs: [], ...more });

test('a metric shows four digits, its whole value on hover, and what it is from the baseline', () => {
  const shown = rowOf(row({ values: [0.98311, 0.98187, null], differs: [false, true, true], goal: 'max', best: [0], delta: [null, -0.00124, null] }), 'metrics');
  expect(shown.cells.map(({ text, full, differs, best, delta }) => [text, full, differs, best, delta])).toEqual([
    ['0.9831', '0.98311', false, true, ''],
    ['0.9819', '0.98187', true, false, '−0.00124'],
    ['–', 'none', true, false, ''],
  ]);
});

test('where all are best none is marked', () => {
  expect(rowOf(row({ values: [1, 1], differs: [false, false], best: [0, 1] }), 'metrics').cells.some((cell) => cell.best)).toBe(false);
});

test('a commit is known by its beginning', () => {
  expect(rowOf(row({ values: ['2a76a07360bbccc9f5ef3105904bae07f4fb24fc'], differs: [false] }), 'code').cells[0]!.text).toBe('2a76a073');
});

test('a delta has its sign, and none of nothing', () => {
  expect(rowOf(row({ values: [1, 2, 1], differs: [], delta: [null, 1, 0] }), 'params').cells.map((cell) => cell.delta)).toEqual(['', '+1', '']);
});

test('numbers are spread by size, over orders by their logarithm', () => {
  expect(spreadOf([1, 2, 3])?.places).toEqual([0, 0.5, 1]);
  expect(spreadOf([1e-4, 1e-2, null, 1])?.places.map((place) => place && Math.round(place * 100) / 100)).toEqual([0, 0.5, null, 1]);
  expect(spreadOf([1e-4, 1])?.words).toBe('1e−4 to 1, log scale');
  expect(spreadOf([5, 5, NaN])?.places).toEqual([0.5, 0.5, null]);
});

test('integers beyond what floats can tell apart stand apart', () => {
  const large = 2n ** 60n;
  expect(spreadOf([large, large + 1n, large + 4n])).toEqual({ places: [0, 0.25, 1], words: '1152921504606846976 to 1152921504606846980' });
  expect(spreadOf([large, 1, null])?.words).toContain('log scale');
  expect(spreadOf([2 ** 53, 2n ** 53n + 1n])?.places).toEqual([0, 1]);
});

test('of what is no number it is said how many there are', () => {
  expect(spreadOf(['a', 'b', 'b'])).toEqual({ places: [], words: '2 different' });
  expect(spreadOf(['a', null])).toBe(null);
});

test('what is equal comes from one run less what differs', () => {
  const facts = { params: { lr: 1, w: 2 }, metrics: {}, capture: { packages: { numpy: '2.0' }, cpu: { count: 2 }, host: 'h', git: { commit: 'c', patch: 'p' } } } as unknown as RunFacts;
  expect(equalOf('params', facts, [{ key: 'lr' }])).toEqual([['w', '2']]);
  expect(equalOf('machine', facts, [{ key: 'host' }])).toEqual([['cpu.count', '2']]);
  expect(equalOf('code', facts, [])).toEqual([['commit', 'c']]);
});

test('the table says in words what differs', () => {
  expect(summaryOf([{ name: 'params', equal: 7, rows: [row({})] }, { name: 'packages', equal: 9, rows: [] }])).toBe('parameters: 1 differ, 7 equal · packages: all equal');
});

test('the table goes to CSV', () => {
  const found: Compared = { runs: [{ id: 'a'.repeat(32), name: null, status: 'finished' }, { id: 'b', name: 'x,y', status: 'lost' }], baseline: '', sections: [{ name: 'params', equal: 0, rows: [row({ values: [1, null] })] }] };
  expect(comparedCsv(found)).toBe('section,key,aaaaaaaa,"x,y"\nparams,k,1,\n');
});
