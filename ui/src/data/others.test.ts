import { expect, test } from 'vitest';
import { asCsv, cell } from './as_csv';
import { asPython } from './as_python';
import { assigned, COLOURS_MAX, DARK, LIGHT } from './colours';
import { reach, reachCut } from './extent';
import { band, curve, frame } from './made_curves';
import { curveNear, readAt, sorted } from './pointing';
import { matcher, sections } from './sections';
import { brief, words, type Drawn } from './words';

const RAW: Drawn = { smooth: 0, exactSmooth: true, logX: false, logY: false, below: 0, cut: false, zoom: null, hidden: 0, solo: false, curves: true, grouped: 0, grey: false };
const said = (of: ReturnType<typeof frame>, drawn: Partial<Drawn> = {}): string => words(of, { ...RAW, ...drawn }).map(({ text }) => text).join(' · ');

test('a chart says what is drawn', () => {
  expect(said(frame([curve('a', [1, 2])]))).toBe('1 run · 2 points each · raw');
  expect(said(frame([], { runs: 500, with: 250, drawn: 100, points: [80, 100] }), { grey: true })).toBe('250 of 500 runs have it · 80–100 points each · 100 drawn, the newest · raw');
});

test('all that stands between numbers and picture is named, and can be taken back', () => {
  const all = words(frame([], { thinned: true, with: 2, points: [9, 9] }), { ...RAW, smooth: 0.6, logY: true, below: 3, cut: true, zoom: [0, 1], hidden: 1, grey: true });
  expect(all.filter(({ undo }) => undo).map(({ undo }) => undo)).toEqual(['cap', 'thinned', 'smooth', 'logY', 'cut', 'hidden', 'zoom']);
  expect(all.map(({ text }) => text)).not.toContain('raw');
});

test('a small chart of many runs says that only ticked ones are curves', () => {
  expect(said(frame([curve('a', [1])], { with: 500, bands: [band([1])] }))).toBe('500 runs · 1 point each · 1 ticked over median and 10–90 % of the runs · raw');
});

test('what a log x axis leaves out is named', () => {
  const one = frame([curve('a', [1, 2])]);
  expect(said(one, { logX: true, left: { points: 3, onlyZero: true } })).toContain('log x, step 0 left out');
  expect(said({ ...one, x: 'metric:loss' }, { logX: true, left: { points: 1, onlyZero: true } })).toContain('log x, 1 point at x ≤ 0 left out');
  expect(said(one, { logX: true, left: { points: null, onlyZero: true } })).toContain('log x, x ≤ 0 left out');
  expect(said(one, { logX: true, left: null })).toMatch(/log x$/);
});

test('a small chart says first what was done to the numbers, in few words', () => {
  const all = words(frame([curve('a', [1])], { thinned: true }), { ...RAW, smooth: 0.6, exactSmooth: false, logX: true, left: { points: 1, onlyZero: true }, cut: true, zoom: [0, 1], far: { log: true } });
  expect(brief(all).map(({ text }) => text)).toEqual(['thinned', 'smoothed 0.6', 'log x', 'outliers cut', 'zoomed', '1 run']);
});

test('bands alone are named as such', () => {
  expect(said(frame([], { with: 500, points: [1, 1], bands: [band([1])] }), { curves: false })).toContain('median and 10–90 % of the runs');
});

test('a run keeps its colour while it is wanted, and none is given twice', () => {
  const first = assigned(new Map(), ['a', 'b', 'c']);
  const second = assigned(first, ['c', 'd', 'b']);
  expect([...second]).toEqual([['c', 2], ['b', 1], ['d', 0]]);
  const many = assigned(second, Array.from({ length: 50 }, (_, i) => `r${i}`));
  expect(many.size).toBe(COLOURS_MAX);
  expect(new Set(many.values()).size).toBe(COLOURS_MAX);
});

test('each colour stands 3:1 against its paper, and no two are the same', () => {
  const linear = (c: number): number => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = (hex: string): number => [0.2126, 0.7152, 0.0722].reduce((sum, share, i) => sum + share * linear(parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16) / 255), 0);
  const contrast = (a: string, b: string): number => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  expect(LIGHT.filter((hex) => contrast(hex, '#ffffff') < 3)).toEqual([]);
  expect(DARK.filter((hex) => contrast(hex, '#14171a') < 3)).toEqual([]);
  expect([new Set(LIGHT).size, new Set(DARK).size]).toEqual([30, 30]);
});

test('charts fold by prefix, pinned ones apart, found by pattern', () => {
  const names = ['val/acc', 'loss', 'train/b10', 'train/b9', 'val/loss'];
  expect(sections(names, '', ['loss', 'gone'])).toEqual({
    pinned: ['loss'],
    sections: [{ prefix: 'train/', metrics: ['train/b9', 'train/b10'] }, { prefix: 'val/', metrics: ['val/acc', 'val/loss'] }],
  });
  const found = (find: string): string[] => names.filter(matcher(find));
  expect(found('LOSS')).toEqual(['loss', 'val/loss']);
  expect(found('val/*')).toEqual(['val/acc', 'val/loss']);
  expect(found('/^loss$/')).toEqual(['loss']);
  expect(found('val loss')).toEqual(['val/loss']);
  expect(found('/(/')).toEqual([]);
});

test('y reaches over the finite values in the window, above 0 on a log axis', () => {
  const line = { x: Float64Array.of(0, 1, 2, 3), values: [Float64Array.of(-5, 0.1, Infinity, 7)] };
  expect(reach([line], [0, 3], false)).toEqual([-5, 7]);
  expect(reach([line], [0, 3], true)).toEqual([0.1, 7]);
  expect(reach([line], [0.5, 1.5], false)).toEqual([0.1, 0.1]);
  const [low, high] = reach([], [0, 1], false);
  expect(low > high).toBe(true);
});

test('the cut leaves out the outermost hundredths', () => {
  const y = Float64Array.from({ length: 1001 }, (_, i) => (i === 500 ? 1e9 : i));
  expect(reachCut([{ x: Float64Array.from(y, (_, i) => i), values: [y] }], [0, 1000], false)).toEqual([10, 991]);
});

test('a curve is read at its nearest point; between points, not beyond its ends', () => {
  const a = curve('a', [1, 2, 3]);
  expect(readAt(a, a.y, 1.4, 0.1)).toEqual({ id: 'a', x: 1, value: 2 });
  expect(readAt(a, a.y, 9, 0.1)).toBeNull();
  const nan = curve('b', [1, Number.NaN], { marks: [[1, Number.NaN]] });
  expect(readAt(nan, nan.y, 0.9, 2)?.value).toBe(1);
});

test('readings stand in the order of the goal, NaN last', () => {
  const readings = [3, Number.NaN, 1].map((value) => ({ id: '', x: 0, value }));
  expect(sorted(readings, 'min').map(({ value }) => value)).toEqual([1, 3, Number.NaN]);
  expect(sorted(readings, null).map(({ value }) => value)).toEqual([3, 1, Number.NaN]);
});

test('the curve nearest to the pointer is found, also between its points', () => {
  const same = (value: number): number => value;
  const lines = [curve('a', [0, 0]), curve('b', [0, 100])].map((each) => ({ curve: { ...each, x: Float64Array.of(0, 100) }, y: each.y }));
  expect(curveNear(lines, { x: 50, pixelX: 50, pixelY: 48 }, same, same, 10)).toBe('b');
  expect(curveNear(lines, { x: 50, pixelX: 50, pixelY: 25 }, same, same, 10)).toBeNull();
});

test('CSV gives the numbers unrounded, quotes what must be, and disarms formulas', () => {
  const text = asCsv(frame([curve('a', [0.1 + 0.2, Number.NaN], { marks: [[1, Infinity]] })]), new Map([['a', '=1+1,"x"']]));
  expect(text.split('\r\n').slice(1, 3)).toEqual([`a,"'=1+1,""x""",m0,0,0.30000000000000004,,`, `a,"'=1+1,""x""",m0,1,Infinity,,`]);
  expect([cell('-1.5'), cell('-x'), cell('a\nb')]).toEqual(['-1.5', "'-x", '"a\nb"']);
});

test('the copied Python names its store, and has the window and the log axis', () => {
  const figure = { store: 'bench', metrics: ['m'], q: '', runs: [], x: 'step', logX: true, logY: false, zoom: [2.5, 40], smooth: 0, group: [] } as const;
  expect(asPython(figure)).toContain('# store: bench\nstore = runfolio.open_store()');
  expect(asPython(figure)).toContain('ax = runs.plot("m")\nax.set_xscale("log")\nax.set_xlim(2.5, 40)\n');
  expect(asPython({ ...figure, x: 'wall', logX: false })).not.toContain('set_x');
});

test('Python that draws the same figure is copied, whatever stands in the names', () => {
  const code = asPython({ store: 'bench', metrics: ['val/"acc"'], q: 'lr < 0.01', runs: [], x: 'relative', logY: true, smooth: 0.6, group: ['lr'] });
  expect(code).toContain('runs = store.runs("lr < 0.01")');
  expect(code).toContain(String.raw`ax = runs.plot("val/\"acc\"", group_by=["lr"], x="time", smooth=0.6, log_y=True)`);
  expect(asPython({ store: 's\nimport os', metrics: ['m'], q: '', runs: ['aa', 'bb'], x: 'step', logY: false, smooth: 0, group: [] })).toContain(
    String.raw`store.runs("id in (\"aa\", \"bb\")")`,
  );
});
