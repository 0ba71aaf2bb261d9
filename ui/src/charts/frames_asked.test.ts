import { afterEach, expect, test, vi } from 'vitest';
import { frameBytes } from '../data/frame_bytes';
import { askFrame, forgetFrames } from './frames_asked';

const HEADER = { metric: '', goal: null, x: 'step', runs: 1, with: 1, gone: 0, drawn: 0, points: [1, 1], thinned: false, buckets: 9, range: null, grids: [], curves: [], bands: [], groups: 0, words: '' };
const frame = (metric: string): Uint8Array => new Uint8Array(frameBytes(() => ({ ...HEADER, metric })));

/** As the server puts several frames into one answer. */
function together(frames: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = frames.flatMap((each) => [...new Uint8Array(BigUint64Array.of(BigInt(each.length)).buffer), ...each, ...new Uint8Array(-each.length & 7)]);
  return Uint8Array.from(parts);
}

/** Answer each question with the frames of its metrics; gives what was asked. */
function served(status = (_metrics: string[]): number => 200, kind = 'UsageError'): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    const metrics = new URLSearchParams(url.slice(url.indexOf('?'))).getAll('metric');
    const body = metrics.length === 1 ? Uint8Array.from(frame(metrics[0] as string)) : together(metrics.map(frame));
    const isRefused = status(metrics) !== 200;
    return Promise.resolve(new Response(isRefused ? `{"error": {"kind": "${kind}", "message": "no"}}` : body, { status: status(metrics) }));
  });
  return asked;
}

const ask = (url: string, signal = new AbortController().signal): Promise<string> => askFrame(url, signal).then(({ metric }) => metric);

afterEach(() => {
  vi.unstubAllGlobals();
  forgetFrames();
});

test('small charts that come together are asked for in one question', async () => {
  const asked = served();
  expect(await Promise.all(['a', 'b%2Fc', 'a'].map((metric) => ask(`/s?metric=${metric}&curves=0`)))).toEqual(['a', 'b/c', 'a']);
  expect(asked).toEqual(['/s?metric=a&metric=b%2Fc&curves=0']);
});

test('what differs in more than the metric is asked apart, and so are very many runs', async () => {
  const asked = served();
  await Promise.all(['/s?metric=a&curves=0', '/s?metric=b&curves=9', '/s?metric=c&bands=false', '/s?metric=d&bands=false'].map((url) => ask(url)));
  expect(asked).toEqual(['/s?metric=a&curves=0', '/s?metric=b&curves=9', '/s?metric=c&bands=false', '/s?metric=d&bands=false']);
});

test('eight at a time, and none that is no longer wanted', async () => {
  const asked = served();
  const gone = new AbortController();
  const never = ask('/s?metric=gone&n=1', gone.signal);
  const all = Promise.all(Array.from({ length: 9 }, (_, i) => ask(`/s?metric=m${i}&n=1`)));
  gone.abort(new Error('gone'));
  await expect(never).rejects.toThrow('gone');
  expect(await all).toEqual(Array.from({ length: 9 }, (_, i) => `m${i}`));
  expect(asked.map((url) => url.match(/metric=/g)?.length)).toEqual([8, 1]);
});

test.each([400, 409, 414, 500])('where one answer is refused with %i, each is asked for alone, and one that fails fails alone', async (refused) => {
  const asked = served((metrics) => (metrics.includes('b') ? refused : 200));
  const askAll = (): Promise<PromiseSettledResult<string>[]> => Promise.allSettled(['a', 'b', 'c'].map((metric) => ask(`/s?metric=${metric}&n=${refused}`)));
  expect((await askAll()).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(asked).toHaveLength(4);
  forgetFrames();
  await askAll();
  expect(asked).toHaveLength(7); // not together again
});

test('what is wrong for all is not asked again for each', async () => {
  const asked = served(() => 400, 'FilterError');
  const found = await Promise.allSettled(['a', 'b'].map((metric) => ask(`/s?metric=${metric}&q=x`)));
  expect([asked.length, ...found.map(({ status }) => status)]).toEqual([1, 'rejected', 'rejected']);
});

test('a frame that cannot be read fails alone', async () => {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(together([frame('a'), Uint8Array.of(1, 2, 3), frame('c')]))));
  const found = await Promise.allSettled(['a', 'b', 'c'].map((metric) => ask(`/s?metric=${metric}&n=odd`)));
  expect(found.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
