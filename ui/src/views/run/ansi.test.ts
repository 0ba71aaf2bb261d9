import { expect, test } from 'vitest';
import { marked, PLAIN, plainText, spansOf } from './ansi';

const shown = (line: string) => spansOf(line).spans.map(({ text, fg, bold }) => [text, fg, bold]);

test('plain text is one plain span', () => {
  expect(spansOf('epoch 1').spans).toEqual([{ ...PLAIN, text: 'epoch 1', odd: false }]);
});

test('palette colours and bold begin and end where they are told to', () => {
  expect(shown('a\x1b[1;31mb\x1b[0mc\x1b[92md')).toEqual([
    ['a', null, false],
    ['b', 1, true],
    ['c', null, false],
    ['d', 10, false],
  ]);
});

test('256 colours and true colours become CSS colours', () => {
  expect(shown('\x1b[38;5;208mx\x1b[38;5;240my\x1b[38;2;1;2;3mz\x1b[38;5;9mw')).toEqual([
    ['x', 'rgb(255 135 0)', false],
    ['y', 'rgb(88 88 88)', false],
    ['z', 'rgb(1 2 3)', false],
    ['w', 9, false],
  ]);
});

test('a colour that makes no sense changes nothing', () => {
  expect(shown('\x1b[38;5;999mx\x1b[38;2;1mx\x1b[999mx\x1b[;mx')).toEqual([
    ['x', null, false],
    ['x', null, false],
    ['x', null, false],
    ['x', null, false],
  ]);
});

test('a style goes on into the next line', () => {
  expect(spansOf('x', spansOf('\x1b[3;38;5;2mopen').style).spans[0]).toMatchObject({ italic: true, fg: 2 });
});

test('titles, links, clipboard writes, cursor moves and clearing are dropped', () => {
  expect(plainText('\x1b]0;title\x07a\x1b]52;c;ZXZpbA==\x1b\\b\x1b[2J\x1b[10;10Hc\x1b[?25ld\x1b(Be\x1b7f\x9b2Jg')).toBe('abcdefg');
});

test('an escape that is cut off at the end is dropped', () => {
  expect(plainText('a\x1b[38;5')).toBe('a');
  expect(plainText('a\x1b')).toBe('a');
  expect(plainText('a\x1b]0;tit')).toBe('a');
});

test('a progress bar shows as it ended, with what it did not overwrite', () => {
  expect(plainText('\r 10%\r 20% \r100%')).toBe('100% ');
  expect(plainText('done\r')).toBe('done');
  expect(plainText('long line\r\x1b[32mab')).toBe('abng line');
});

test('tabs reach the next stop', () => {
  expect(plainText('ab\tc\td')).toBe('ab      c       d');
});

test('other control characters are named, and marked as such', () => {
  expect(spansOf('a\x00\u202eb').spans.map(({ text, odd }) => [text, odd])).toEqual([
    ['a', false],
    ['\\x00', true],
    ['\\u202e', true],
    ['b', false],
  ]);
});

test('markup is text', () => {
  expect(shown('<b>x</b>')).toEqual([['<b>x</b>', null, false]]);
});

test('a megabyte of escapes takes no long time', () => {
  expect(plainText('\x1b['.repeat(200_000) + '\x1b]'.repeat(200_000)).length).toBeLessThan(2_000_000);
});

test('what is searched for is marked, case ignored, over spans and more than once', () => {
  const parts = (line: string, search: string) => marked(spansOf(line).spans, search).map(({ text, hit }) => (hit ? `[${text}]` : text));
  expect(parts('an Error, error', 'error')).toEqual(['an ', '[Error]', ', ', '[error]']);
  expect(parts('Er\x1b[31mror x', 'error')).toEqual(['[Er]', '[ror]', ' x']);
  expect(parts('aaaa', 'aa').join('')).toBe('[aa][aa]');
  expect(parts('abc', '')).toEqual(['abc']);
});
