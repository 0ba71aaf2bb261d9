import { expect, test } from 'vitest';
import { appended, type Chunk, earlier, LINES_MAX, lineAt, opened, prepended, wholeLines } from './output';

const chunk = (text: string, from = 0, size = from + new TextEncoder().encode(text).length): Chunk => ({
  from, to: from + new TextEncoder().encode(text).length, size, cut_bytes: 0, text, ended: false,
}); // prettier-ignore
const shown = (window: { lines: { spans: { text: string }[] }[] }) => window.lines.map((line) => line.spans.map((span) => span.text).join(''));

test('text parts into lines that know their byte, in any script', () => {
  const window = opened(chunk('a\néé\nb'));
  expect(window.lines.map((line) => line.at)).toEqual([0, 2, 7]);
  expect(shown(window)).toEqual(['a', 'éé', 'b']);
});

test('what follows is added; a line that was not whole goes on', () => {
  const window = appended(opened(chunk('a\nb')), chunk('c\nd\n', 3));
  expect(shown(window)).toEqual(['a', 'bc', 'd']);
  expect([window.from, window.to]).toEqual([0, 7]);
});

test('a colour goes on over lines, and over a line that came in two parts', () => {
  const window = appended(opened(chunk('\x1b[31ma\nb')), chunk('c\n', 8));
  expect(window.lines.map((line) => line.spans[0]!.fg)).toEqual([1, 1]);
});

test('a chunk that does not join on begins anew', () => {
  expect(shown(appended(opened(chunk('a\n')), chunk('z\n', 50)))).toEqual(['z']);
});

test('what stands before is put before', () => {
  const window = prepended(opened(chunk('c\n', 4)), chunk('a\nb\n'));
  expect(shown(window)).toEqual(['a', 'b', 'c']);
  expect(earlier(window, 10)).toBe(null);
  expect(earlier(opened(chunk('c\n', 40)), 10)).toEqual({ from: 30, bytes: 10 });
});

test('bytes from the middle of a line begin with the next', () => {
  expect(wholeLines(chunk('rest\nwhole é\n', 100))).toMatchObject({ from: 105, text: 'whole é\n', to: 114 });
  expect(wholeLines(chunk('a\n', 0)).from).toBe(0);
  expect(wholeLines(chunk('long line without an end', 5)).from).toBe(5);
  expect(wholeLines(chunk('torn\n', 5)).from).toBe(5);
});

test('however much comes, the lines held are bounded', () => {
  const many = 'x\n'.repeat(LINES_MAX);
  const grown = appended(opened(chunk(many)), chunk('y\n', many.length));
  expect(grown.lines.length).toBe(LINES_MAX);
  expect([grown.from, grown.to]).toEqual([2, many.length + 2]);
  const up = prepended(opened(chunk(many, 2)), chunk('w\n'));
  expect([up.lines.length, up.from, up.to]).toEqual([LINES_MAX, 0, many.length]);
});

test('a byte leads to its line', () => {
  const window = opened(chunk('aa\nbb\ncc\n', 10));
  expect([9, 10, 12, 13, 18, 19].map((at) => lineAt(window, at))).toEqual([-1, 0, 0, 1, 2, -1]);
});

test('a line of a megabyte draws its beginning, a long progress bar its end', () => {
  expect(shown(opened(chunk('x'.repeat(1_000_000))))[0]!.length).toBeLessThan(5000);
  expect(shown(opened(chunk(`${'\r 10%'.repeat(5000)}\r100%\n`)))[0]).toBe('100%');
});

test('lines that end as on Windows end once', () => {
  expect(shown(opened(chunk('a\r\nb\r\n')))).toEqual(['a', 'b']);
});
