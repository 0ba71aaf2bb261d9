import { expect, test } from 'vitest';
import { pieces, visible } from '../../data/visible';

test('text that shows is left as it is, in any script', () => {
  expect(visible('épreuve 日本語 🙂\tx')).toBe('épreuve 日本語 🙂\tx');
});

test('a character that turns the direction of what follows is named', () => {
  expect(pieces('a\u202eb')).toEqual([
    { text: 'a', odd: false },
    { text: '\\u202e', odd: true },
    { text: 'b', odd: false },
  ]);
});

test('controls, zero-width characters and halves of pairs are named', () => {
  expect(visible('\x07\x1b\u200b\ud800')).toBe('\\x07\\x1b\\u200b\\ud800');
});

test('a tower of combining marks is cut to a few', () => {
  expect([...'x' + visible('e' + '\u0301'.repeat(1000))].length).toBeLessThan(12);
});
