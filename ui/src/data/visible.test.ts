import { expect, test } from 'vitest';
import { band, frame } from './made_curves';
import { cellText } from './columns_drawn';
import { compose } from './picture';

test('what would turn the words of a chart around is named, in a group and in a cell', () => {
  const groups = frame([], { bands: [band([1, 2], { params: { opt: 'adam\u202elive' } })] });
  const picture = compose(groups, { ticked: [], hidden: new Set(), solo: null, places: new Map(), smooth: 0, grouped: true });
  expect(picture.bands[0]?.label).toContain('opt=adam\\u202elive');
  expect(cellText('a\u2067b')).toBe('a\\u2067b');
});
