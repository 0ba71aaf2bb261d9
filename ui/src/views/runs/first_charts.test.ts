import { expect, test } from 'vitest';
import type { Folded, Overview, RunsAnswer } from '../../api/types';
import { parse } from '../../state/url';
import { bandsOf, drawableIn, firstLargeChart, focusOf, smallCharts } from './first_charts';

const column = (key: string): Overview['columns'][number] => ({ key, kind: 'number', filled: 9, distinct: 9, weight: null });
const overview = (more: Partial<Overview>): Overview => ({ total: 9, running: 0, objective: null, over: [], columns: [], same: [], empty: [], default: [], folds: false, table: null, ...more });
const rows = (total: number): Overview['table'] => ({ folded: null, runs: { total } as RunsAnswer });
const groups = (total: number, runs: number): Overview['table'] => ({ folded: { total, runs } as Folded, runs: null });
const plain = parse('/store/runs', '');

test('the chosen metric is drawn, else the objective, else the first there is', () => {
  const found = overview({ columns: [column('params.lr'), column('metrics.b.last')], same: [{ key: 'metrics.a.last', value: 1 }], objective: { metric: 'c', goal: null } });
  expect(drawableIn(found)).toEqual(['b', 'a']);
  expect([focusOf('d', found), focusOf(null, found), focusOf(null, { ...found, objective: null }), focusOf(null, overview({}))]).toEqual(['d', 'c', 'b', null]);
});

test('few groups are drawn as bands', () => {
  expect([bandsOf(null, 3), bandsOf([], 8), bandsOf([], 9), bandsOf(['lr'], 2)]).toEqual([[], ['*'], [], ['lr']]);
});

test('what the first chart asks follows the rows that came along', () => {
  const objective = { metric: 'loss', goal: 'min' } as const;
  const asked = (table: Overview['table']): string | undefined => firstLargeChart('s', plain, overview({ objective, table }))?.split('?')[1];
  expect(asked(rows(30))).toBe('metric=loss&buckets=1000&curves=1000&as=f8');
  expect(asked(rows(200))).toBe('metric=loss&buckets=1000&curves=1000&as=u2');
  expect(asked(rows(500))).toBe('metric=loss&buckets=50&curves=1000&as=u2');
  expect(asked(rows(2001))).toBe('metric=loss&buckets=50&curves=1000&bands=false&as=u2');
  expect(asked(groups(8, 500))).toBe('metric=loss&buckets=1000&curves=0&group=*&as=f8');
  expect(asked(groups(9, 500))).toBe('metric=loss&buckets=50&curves=1000&as=u2');
});

test('the small charts that are seen first are asked for too, in their order', () => {
  const metrics = ['loss', 'val/a', 'm10', 'm2', 'system/cpu', 'm3', 'm4', 'm5', 'val/b'];
  const asked = (view: typeof plain): string[] => smallCharts('s', view, metrics, 'loss', {}, [], 500).map((url) => url.split('?')[1] ?? '');
  expect(asked(plain)).toEqual(['m2', 'm3', 'm4', 'm5', 'm10', 'val%2Fa'].map((metric) => `metric=${metric}&buckets=300&curves=0&as=f4`));
  expect(asked(parse('/store/runs', '?pin=system/cpu&find=a'))[0]).toContain('metric=val');
});

test('of another view, or of no metric, nothing is asked', () => {
  const objective = { metric: 'loss', goal: 'min' } as const;
  expect(firstLargeChart('s', parse('/store/runs', '?q=lr<1'), overview({ objective, table: rows(3) }))).toBeNull();
  expect(firstLargeChart('s', plain, overview({ table: rows(3) }))).toBeNull();
  expect(firstLargeChart('s', plain, overview({ objective }))).toBeNull();
});
