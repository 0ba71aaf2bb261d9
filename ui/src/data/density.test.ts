import { expect, test } from 'vitest';
import { Density, within } from './density';
import { curve } from './made_curves';

const same = (value: number): number => value;

test('a flat line covers one row of each column once', () => {
  const picture = new Density(4, 4);
  picture.add(curve('a', [1.5, 1.5, 1.5, 1.5]), [0, 1.5, 3, 4], same, 0, 4);
  expect([...picture.counts()]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test('two curves count twice, one that goes to and fro within a column once', () => {
  const picture = new Density(1, 3);
  picture.add(curve('a', [0.5, 2.5, 0.5, 2.5]), [0, 0.3, 0.6, 0.9], same, 0, 4);
  picture.add(curve('b', [0.5, 2.5]), [0, 0.9], same, 0, 2);
  expect([...picture.counts()]).toEqual([2, 2, 2]);
});

test('a thinned curve reaches from its lowest to its highest, so that no peak is lost', () => {
  const picture = new Density(2, 5);
  const y = [2.5, 2.5];
  picture.add(curve('a', y, { thinned: true, low: Float64Array.of(0.5, 2.5), high: Float64Array.of(4.5, 2.5) }), [0.5, 1.5], same, 0, 2);
  expect([0, 2, 4, 6, 8].map((at) => picture.counts()[at])).toEqual([1, 1, 1, 1, 1]);
  expect(picture.counts()[1]).toBeLessThan(1);
});

test('NaN is a gap; an empty bucket of a thinned curve is none, unless NaN was logged there', () => {
  const y = [0.5, Number.NaN, Number.NaN, Number.NaN, 0.5];
  const covered = (more: object): number => {
    const picture = new Density(5, 1);
    picture.add(curve('a', y, more), [0.5, 1.5, 2.5, 3.5, 4.5], same, 0, 5);
    return [...picture.counts()].filter((n) => n > 0).length;
  };
  expect(covered({})).toBe(2);
  expect(covered({ thinned: true })).toBe(5);
  expect(covered({ thinned: true, marks: [[2, Number.NaN]] })).toBe(2);
});

test('what lies outside the picture is left out', () => {
  const picture = new Density(2, 2);
  picture.add(curve('a', [-1e9, 1e9]), [-1e6, 1e6], same, 0, 2);
  picture.add(curve('b', [50, 60]), [0, 1], same, 0, 2);
  expect([...picture.counts()].every((n) => n >= 0 && n <= 1)).toBe(true);
});

test('n curves are 1 − (1 − alpha)ⁿ opaque', () => {
  const picture = new Density(1, 1);
  picture.add(curve('a', [-9, 9]), [0.2, 0.8], same, 0, 2);
  picture.add(curve('b', [-9, 9]), [0.2, 0.8], same, 0, 2);
  expect(picture.image([1, 2, 3], 0.5)).toEqual(Uint8ClampedArray.of(1, 2, 3, 191));
});

test('a window keeps one point on each side, for the line to reach its edge', () => {
  expect(within([0, 1, 2, 3, 4, 5], 2, 3)).toEqual([1, 5]);
  expect(within([0, 1], 10, 11)).toEqual([1, 2]);
});
