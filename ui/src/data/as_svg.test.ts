import { expect, test } from 'vitest';
import { asSvg, escaped, type SvgSheet } from './as_svg';
import { curve, frame } from './made_curves';
import { compose } from './picture';

const SHEET: SvgSheet = {
  width: 900, height: 420, title: 'm', words: '', window: [0, 1], span: [0, 1], logX: false, logY: false,
  ticksX: { at: [0], words: ['0'] }, ticksY: { at: [0], words: ['0'] }, labels: [], colourOf: () => '#0072b2', paper: '#fff', ink: '#000', quiet: '#555', line: '#ddd', grey: 0.1,
};
const picture = compose(frame([curve('a', [0, 1])]), { ticked: [], hidden: new Set(), solo: null, places: new Map(), smooth: 0, grouped: false });

test('names become text, whatever stands in them', () => {
  const hostile = '"><svg/onload=alert(1)>\u0000</text>&';
  const text = asSvg(picture, { ...SHEET, title: hostile, words: hostile, labels: [{ y: 0, text: hostile, colour: '#000' }] });
  expect(text).not.toContain('<svg/onload');
  expect(text).not.toContain('\u0000');
  expect(escaped('<a&"\'>')).toBe('&#60;a&#38;&#34;&#39;&#62;');
});

test('a curve of one finite point is a dot that is seen', () => {
  const lone = compose(frame([curve('a', [Number.NaN, 0.5, Infinity])]), { ticked: [], hidden: new Set(), solo: null, places: new Map(), smooth: 0, grouped: false });
  expect(asSvg(lone, SHEET)).toContain('<circle cx="884.0" cy="213.0" r="3" fill="#0072b2"/>');
  expect(asSvg(picture, SHEET)).not.toContain('<circle');
});

test('a curve is a path from corner to corner of its plot', () => {
  expect(asSvg(picture, SHEET)).toContain('<path d="M60 396L884 30" fill="none" stroke="#0072b2"');
});
