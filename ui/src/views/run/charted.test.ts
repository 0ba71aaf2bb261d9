import { expect, test } from 'vitest';
import { focusOf } from './charted';
import type { RunFacts } from './facts';

const facts = (names: string[], goals: RunFacts['goals'] = {}) => ({ metrics: Object.fromEntries(names.map((name) => [name, {} as never])), goals });

test('what is asked for is drawn, where the run has it', () => {
  expect(focusOf(facts(['a', 'b']), 'b')).toBe('b');
  expect(focusOf(facts(['a', 'b']), 'z')).toBe('a');
});

test('else what has a goal, and of these the one of validation', () => {
  expect(focusOf(facts(['lr', 'train/loss', 'val/acc'], { 'train/loss': 'min', 'val/acc': 'max' }), null)).toBe('val/acc');
  expect(focusOf(facts(['lr', 'x'], { x: 'max' }), null)).toBe('x');
});

test('what the machine did comes last', () => {
  expect(focusOf(facts(['system/gpu', 'a']), null)).toBe('a');
  expect(focusOf(facts(['system/gpu']), null)).toBe('system/gpu');
  expect(focusOf(facts([]), null)).toBe(null);
});
