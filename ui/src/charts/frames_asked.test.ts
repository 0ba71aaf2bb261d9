import { expect, test } from 'vitest';
import { addressOf, type Wish } from './wishes';

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
