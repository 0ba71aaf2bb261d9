import { expect, test } from 'vitest';
import { belowZero, farOut, leftOfZero, linesOf, rangeOf, reach, spanFor } from './extent';
import { band, curve, frame } from './made_curves';
import { compose } from './picture';

test('x reaches over all curves and bands, and over what came since', () => {
  expect(rangeOf(frame([curve('a', [1, 2, 3])], { range: [0, 1], bands: [band([1, 2, 3, 4])] }), false)).toEqual([0, 3]);
  expect(rangeOf(null, false)).toEqual([0, 1]);
});

test('a log x axis begins at the first step above 0', () => {
  expect(rangeOf(frame([curve('a', [1, 2, 3])]), true)).toEqual([1, 2]);
  expect(rangeOf(frame([curve('a', [1], { x: Float64Array.of(0) })]), true)).toEqual([1, 10]);
});

test('what a log y axis cannot show is counted', () => {
  expect(belowZero(frame([curve('a', [1, 0, -2, Number.NaN])]))).toBe(2);
});

test('what a log x axis cannot show is told, as a count where it is known', () => {
  expect(leftOfZero(frame([curve('a', [1, 2, 3]), curve('b', [1, 2])]))).toEqual({ points: 2, onlyZero: true });
  expect(leftOfZero(frame([curve('a', [1, 2, 3], { x: Float64Array.of(-1, 0, 1) })]))).toEqual({ points: 2, onlyZero: false });
  expect(leftOfZero(frame([curve('a', [1, 2], { x: Float64Array.of(1, 2) })]))).toBeNull();
  expect(leftOfZero(frame([curve('a', [1, 2], { thinned: true })]))?.points).toBeNull();
  expect(leftOfZero(frame([], { bands: [band([1, 2])] }))).toEqual({ points: null, onlyZero: true });
});

test('a thinned curve reaches to its lowest and highest', () => {
  const thinned = curve('a', [1, 1], { thinned: true, low: Float64Array.of(-3, 1), high: Float64Array.of(1, 9) });
  const picture = compose(frame([thinned]), { ticked: [], hidden: new Set(), solo: null, places: new Map(), smooth: 0, grouped: false });
  expect(reach(linesOf(picture), [0, 1], false)).toEqual([-3, 9]);
});

test('values that differ by rounding alone are flat', () => {
  expect(spanFor([3, 3 + 4e-15], false).map((end) => end.toFixed(6))).toEqual(['2.700000', '3.300000']);
  expect(spanFor([0, 0], false)).toEqual([-1, 1]);
  expect(spanFor([3, 3 + 1e-9], false)[1]).toBeLessThan(3.00001);
  expect(spanFor([Infinity, -Infinity], false)).toEqual([0, 1]);
});

test('a few values far out are told, and whether a log axis would show them', () => {
  const line = (first: number): { x: Float64Array; values: Float64Array[] } => {
    const y = Float64Array.from({ length: 500 }, (_, i) => (i === 0 ? first : 1 + (i % 7) / 10));
    return { x: y.map((_, i) => i), values: [y] };
  };
  expect(farOut([line(100)], [0, 499])).toEqual({ log: true });
  expect(farOut([line(-100)], [0, 499])).toEqual({ log: false });
  expect(farOut([line(2)], [0, 499])).toBeNull();
});
