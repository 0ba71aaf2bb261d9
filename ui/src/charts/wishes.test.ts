import { expect, test } from 'vitest';
import { addressOf, baseWish, isAbout, isAlike, wholeWish, type Wanted, type Wish } from './wishes';

const WISH: Wish = { metric: 'val/acc', selection: {}, x: 'step', buckets: 600, curves: 1000, bands: true, as: 'u2', smooth: 0 };
const asked = (wish: Partial<Wish>): string => decodeURIComponent(addressOf('a b', { ...WISH, ...wish }));

test('what is as the server would have it is left out of the address', () => {
  expect(addressOf('a b', WISH)).toBe('/api/v1/stores/a%20b/series?metric=val%2Facc&buckets=600&curves=1000&as=u2');
});

test('runs are named by eight digits, so that a thousand fit into an address', () => {
  const ids = Array.from({ length: 1000 }, (_, i) => i.toString(16).padStart(32, '0'));
  expect(addressOf('s', { ...WISH, selection: { runs: ids } }).length).toBeLessThan(16_000);
  expect(asked({ selection: { runs: ['0123456789abcdef'] } })).toContain('runs=01234567&');
});

test('window, groups, axis and smoothing are told', () => {
  const text = asked({ from: 0, to: 2.5, group: ['lr', 'opt'], centre: 'median', x: 'metric:loss', smooth: 0.9, bands: false, curves: 0, first: ['aa'] });
  expect(text).toContain('x=metric:loss&from=0&to=2.5&buckets=600&curves=0&first=aa&bands=false&group=lr&group=opt&centre=median&as=u2&smooth=0.9');
});

test('an address is about the runs that it was made for, and about no others', () => {
  const selections: Wish['selection'][] = [{}, { q: 'lr < 1' }, { runs: ['0123456789', 'abcdefabcd'] }, { archived: true }, { q: 'x', deleted: true }];
  for (const one of selections) {
    for (const other of selections) expect(isAbout(addressOf('s', { ...WISH, selection: one }), other)).toBe(one === other);
  }
});

const WANTED: Wanted = { metric: 'm', selection: {}, x: 'step', smooth: 0, group: [], ticked: ['0123456789'], compact: false, having: null };

test('groups are asked for as bands alone', () => {
  expect(wholeWish({ ...WANTED, group: ['lr'] })).toMatchObject({ curves: 0, bands: true });
});

test('few runs come exact, many coarse, and very many without their band', () => {
  expect(wholeWish({ ...WANTED, having: 30 })).toMatchObject({ as: 'f8', buckets: 1000, bands: true });
  expect(wholeWish({ ...WANTED, having: 500 })).toMatchObject({ as: 'u2', buckets: 50, bands: true });
  expect(wholeWish({ ...WANTED, having: 10_000 })).toMatchObject({ as: 'u2', bands: false });
  expect(wholeWish({ ...WANTED, having: 10_000, exact: true }).buckets).toBe(10_000);
});

test('a small chart of many runs is a band with the ticked curves', () => {
  expect(wholeWish({ ...WANTED, compact: true, having: 500 })).toMatchObject({ curves: 1, first: ['0123456789'], bands: true, buckets: 300 });
  expect(wholeWish({ ...WANTED, compact: true, having: 10_000 })).toMatchObject({ curves: 200, bands: false });
});

test('a band belongs to curves of the same runs on the same axis, however fine they are', () => {
  const of = (more: Partial<Wanted>): string => addressOf('s', wholeWish({ metric: 'm', selection: { q: 'lr < 1' }, x: 'step', smooth: 0, group: [], ticked: [], compact: false, having: 5000, ...more }));
  const band = addressOf('s', { ...baseWish({ metric: 'm', selection: { q: 'lr < 1' }, x: 'step', smooth: 0, group: [], ticked: [], compact: false, having: 5000 }), curves: 0, bands: true, as: 'f8' });
  expect(isAlike(of({}), band)).toBe(true);
  expect(isAlike(`${of({})}&from=2&to=3`, band)).toBe(true);
  for (const other of [of({ selection: {} }), of({ x: 'wall' }), of({ metric: 'n' }), of({ selection: { q: 'lr < 1', archived: true } })]) expect(isAlike(other, band)).toBe(false);
});
