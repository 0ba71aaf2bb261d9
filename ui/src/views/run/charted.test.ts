import { expect, test } from 'vitest';
import { focusOf } from './charted';
import type { RunFacts } from './facts';

const facts = (names: string[], goals: RunFacts['goals'] = {}) => ({ metrics: Object.fromEntries(names.map((name) => [name, {} as never])), goals });

test('what is asked for is drawn, where the run has it', () => {
  expect(focusOf(facts(['a', 'b']), 'b', null)).toBe('b');
  expect(focusOf(facts(['a', 'b']), 'z', null)).toBe('a');
});

test('else the objective of the store, as the list draws it, where the run has it', () => {
  expect(focusOf(facts(['val/loss', 'loss'], { 'val/loss': 'min' }), null, 'loss')).toBe('loss');
  expect(focusOf(facts(['val/loss', 'loss']), 'val/loss', 'loss')).toBe('val/loss');
  expect(focusOf(facts(['val/loss', 'x']), null, 'loss')).toBe('val/loss');
});

test('else what has a goal, and of these the one of validation', () => {
  expect(focusOf(facts(['lr', 'train/loss', 'val/acc'], { 'train/loss': 'min', 'val/acc': 'max' }), null, null)).toBe('val/acc');
  expect(focusOf(facts(['lr', 'x'], { x: 'max' }), null, null)).toBe('x');
});

test('what the machine did comes last', () => {
  expect(focusOf(facts(['system/gpu', 'a']), null, null)).toBe('a');
  expect(focusOf(facts(['system/gpu']), null, null)).toBe('system/gpu');
  expect(focusOf(facts([]), null, null)).toBe(null);
});
