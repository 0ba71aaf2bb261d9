import { expect, test } from 'vitest';
import { axesOf, narrowed, parallelAxes } from './columns';
import type { Compared, ComparedRow } from './sections';

const row = (key: string, values: ComparedRow['values']): ComparedRow => ({ key, values, differs: [] });
const found: Compared = {
  runs: ['a', 'b', 'c'].map((id) => ({ id, name: id, status: 'finished' })),
  baseline: 'a',
  sections: [
    { name: 'params', equal: 0, rows: [row('seed', [0, 1, 2]), row('lr', [0.1, 0.2, 2n ** 60n]), row('rare', [null, null, 1]), row('kind', ['x', true, null])] },
    { name: 'metrics', equal: 0, rows: [row('acc', [1, 2, null])] },
  ],
};

test('a seed comes last, and what is no number is its text', () => {
  expect(axesOf(found).params.map((one) => one.name)).toEqual(['lr', 'rare', 'kind', 'seed']);
  expect(axesOf(found).params[2]!.values).toEqual(['x', 'true', null]);
  expect(axesOf(found).params[0]!.values[2]).toBe(2 ** 60);
});

test('parallel axes are what most runs have, the metric last', () => {
  expect(parallelAxes(found, 'acc').map((one) => one.name)).toEqual(['lr', 'kind', 'seed', 'acc']);
  expect(parallelAxes(found, 'none').map((one) => one.name)).toEqual(['lr', 'kind', 'seed']);
});

test('a brush narrows what was ticked, and gives it back when let go', () => {
  const ids = ['aaaaaaaa1', 'bbbbbbbb1', 'cccccccc1'];
  expect(narrowed([], ids, ['bbbbbbbb1'])).toEqual(['bbbbbbbb']);
  expect(narrowed(['aaaaaaaa', 'bbbbbbbb', 'zzzzzzzz'], ids, ['bbbbbbbb1', 'cccccccc1'])).toEqual(['zzzzzzzz', 'bbbbbbbb']);
  expect(narrowed(['aaaaaaaa'], ids, null)).toEqual(['aaaaaaaa']);
});
