import { expect, test } from 'vitest';
import { band, frame } from './made_curves';
import { cellText } from './columns_drawn';
import { compose } from './picture';
import { pieces, visible } from './visible';

test('what would turn the words of a chart around is named, in a group and in a cell', () => {
  const groups = frame([], { bands: [band([1, 2], { params: { opt: 'adam\u202elive' } })] });
  const picture = compose(groups, { ticked: [], hidden: new Set(), solo: null, places: new Map(), smooth: 0, grouped: true });
  expect(picture.bands[0]?.label).toContain('opt=adam\\u202elive');
  expect(cellText('a\u2067b')).toBe('a\\u2067b');
});

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
