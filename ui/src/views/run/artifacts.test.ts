import { expect, test } from 'vitest';
import { arranged, frameAt, kindOf, stepsOf } from './artifacts';
import type { ArtifactFacts } from './facts';

const one = (name: string, version: number, step: number | null, media: string | null = 'image/png'): ArtifactFacts => ({
  name, version, step, media, sha256: '', size_bytes: 1, attempt: 1, time: 0,
}); // prettier-ignore

test('images at several steps are a strip in the order of steps; the rest are files', () => {
  const found = arranged([one('s', 1, 20), one('s', 2, 0), one('a.csv', 1, 0, 'text/csv'), one('a.csv', 2, 5, 'text/csv'), one('once', 1, 3)]);
  expect(found.strips.map((strip) => [strip.name, strip.frames.map((frame) => frame.step)])).toEqual([['s', [0, 20]]]);
  expect(found.files.map((file) => [file.name, file.versions.length, file.latest.version])).toEqual([
    ['a.csv', 2, 2],
    ['once', 1, 1],
  ]);
});

test('of two versions at one step the later is shown', () => {
  expect(arranged([one('s', 1, 0), one('s', 2, 0), one('s', 3, 1)]).strips[0]!.frames.map((frame) => frame.version)).toEqual([2, 3]);
});

test('between its steps a strip shows the last before, and before its first the first', () => {
  const { strips } = arranged([one('s', 1, 10), one('s', 2, 20), one('t', 1, 15), one('t', 2, 30)]);
  expect(stepsOf(strips)).toEqual([10, 15, 20, 30]);
  expect([5, 10, 19, 99].map((step) => frameAt(strips[0]!, step)?.step)).toEqual([10, 10, 10, 20]);
});

test('a file says what it is by its ending, else by its media type', () => {
  expect([one('a.CSV', 1, 0), one('x', 1, 0), one('y', 1, 0, null)].map(kindOf)).toEqual(['csv', 'png', '']);
});
