import { expect, test } from 'vitest';
import { count } from './format';
import { band, curve, frame } from './made_curves';
import { compose, spread, type Emphasis } from './picture';

const PLAIN: Emphasis = { ticked: [], hidden: new Set(), solo: null, places: new Map(), smooth: 0, grouped: false };
const id = (i: number): string => i.toString(16).padStart(32, '0').split('').reverse().join('');
const runs = (n: number): ReturnType<typeof frame> => frame(Array.from({ length: n }, (_, i) => curve(id(i), [1, 2])), { bands: [band([1, 2])] });

test('thirty curves have a colour each and no band', () => {
  const picture = compose(runs(30), PLAIN);
  expect([picture.strokes.length, picture.grey.length, picture.bands.length]).toEqual([30, 0, 0]);
});

test('more are a distribution: grey, with median and band, and colour for what is ticked', () => {
  const picture = compose(runs(31), { ...PLAIN, ticked: [id(3).slice(0, 8)], places: new Map([[id(3).slice(0, 8), 0]]) });
  expect([picture.strokes.length, picture.grey.length, picture.bands.length]).toEqual([1, 30, 1]);
  expect(picture.strokes[0]).toMatchObject({ id: id(3), place: 0, strong: true });
});

test('what is hidden is not drawn; solo draws one alone', () => {
  expect(compose(runs(3), { ...PLAIN, hidden: new Set([id(1).slice(0, 8)]) }).strokes.map((each) => each.id)).toEqual([id(0), id(2)]);
  expect(compose(runs(40), { ...PLAIN, solo: id(1).slice(0, 8) })).toMatchObject({ grey: [], bands: [], strokes: [{ id: id(1) }] });
});

test('smoothed, the line as logged stays', () => {
  const stroke = compose(frame([curve('a', [0, 1])]), { ...PLAIN, smooth: 0.5 }).strokes[0];
  expect([...(stroke?.raw ?? [])]).toEqual([0, 1]);
  expect(stroke?.y[1]).toBeCloseTo(2 / 3);
});

test('groups have a line and a band each, with how many runs they hold', () => {
  const grouped = frame([], { bands: [band([1], { params: { 'opt.lr': 0.1 }, runs: 8 }), band([1], { params: { 'opt.lr': null }, runs: 2 })] });
  expect(compose(grouped, { ...PLAIN, grouped: true }).bands.map(({ label }) => label)).toEqual(['lr=0.1 (n = 8)', 'lr=none (n = 2)']);
});

test('how many runs a band is of is written as everywhere', () => {
  const [all] = compose(frame(runs(31).curves, { bands: [band([1, 2], { runs: 10_000 })] }), PLAIN).bands;
  expect(all?.label).toBe(`median of ${count(10_000)}`);
});

test('labels never overlap and stay as near as may be', () => {
  expect(spread([50, 10], 10, 0, 100)).toEqual([50, 10]);
  expect(spread([50, 50], 10, 0, 100)).toEqual([45, 55]);
  expect(spread([98, 99, 100], 10, 0, 100)).toEqual([80, 90, 100]);
  expect(spread([20, 25, 31], 10, 0, 100).map(Math.round)).toEqual([15, 25, 35]);
});
