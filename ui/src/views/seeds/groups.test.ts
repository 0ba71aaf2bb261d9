import { expect, test } from 'vitest';
import { against, commonInterval, type Comparison, defaultBase, differenceText, domainOf, type Group, type Groups, groupsCsv, labelOf, labelText, meanText, notesOf, plusMinus, pText, shortKeys, varying } from './groups';

const group = (more: Partial<Group>): Group => ({
  params: {}, n: 0, nan: 0, infinite: 0, values: [], mean: null, sd: null, median: null, iqm: null, interval: null, best: null, worst: null, runs: [], ...more,
}); // prettier-ignore
const compared = (more: Partial<Comparison>): Comparison => ({
  a: 0, b: 1, verdict: 'better', more_seeds: null, text: 'better', difference: 0.02, interval: { low: 0.01, high: 0.03, method: 'Student t of the pairs' },
  n_a: 5, n_b: 5, paired: true, test: "Student's paired t-test", p: 0.004, p_cautious: 0.004, p_holm: 0.008, effect: 2, effect_name: 'd_z', ...more,
}); // prettier-ignore
const groups = (more: Partial<Groups>): Groups => ({
  metric: 'acc', goal: 'max', at: 'last', by: [], over: ['seed'], over_found: true, inside: [], groups: [], comparisons: [], corrected_for: 1, uncompared: 0,
  left_out: {}, told: {}, ...more,
}); // prettier-ignore

test('groups are named by what sets them apart; what they share is said once', () => {
  const found = groups({ by: ['lr', 'data', 'w'], groups: [group({ params: { lr: 0.1, data: 'c', w: 1 } }), group({ params: { lr: 0.2, data: 'c' } })] });
  const { keys, same } = varying(found);
  expect([keys, same]).toEqual([['lr', 'w'], [['data', 'c']]]);
  expect(labelOf(found.groups[1]!, keys)).toEqual([
    { key: 'lr', text: '0.2', missing: false },
    { key: 'w', text: '', missing: true },
  ]);
  expect(labelText(labelOf(found.groups[0]!, keys))).toBe('lr=0.1 w=1');
  expect(labelText([])).toBe('all runs');
});

test('what has several values is told first, then what few groups have at all', () => {
  const found = { by: ['often', 'rare', 'lr'], groups: [group({ params: { often: 1, lr: 1 } }), group({ params: { often: 1, lr: 2, rare: 3 } }), group({ params: { lr: 3 } })] };
  expect(varying(found).keys).toEqual(['lr', 'rare', 'often']);
});

test('keys are cut to their last part where that tells them apart', () => {
  expect([...shortKeys(['lr', 'model.width', 'a.name', 'b.name']).values()]).toEqual(['lr', 'width', 'a.name', 'b.name']);
});

test('1 and "1" and true are told apart', () => {
  expect(varying({ by: ['x'], groups: [group({ params: { x: 1 } }), group({ params: { x: '1' } })] }).keys).toEqual(['x']);
});

test('a mean stands with its interval; of fewer than three there is none', () => {
  expect(meanText(group({ n: 5, mean: 0.8123, interval: { low: 0.8063, high: 0.8183, method: 'Student t' } }))).toBe('0.8123 ± 0.0060');
  expect(meanText(group({ n: 5, mean: 0.8, interval: { low: 0.7, high: 0.82, method: 'bootstrap' } }))).toBe('0.8 [0.7, 0.82]');
  expect(meanText(group({ n: 2, values: [1, 2] }))).toBe('n < 3: no mean');
  expect(meanText(group({}))).toBe('no value');
});

test('a half width has two digits, and the value as many decimals', () => {
  expect([plusMinus(0.98123, 0.0031), plusMinus(1234.5, 56), plusMinus(-2.5, 0.1), plusMinus(1, 0), plusMinus(1e-9, 1e-10)]).toEqual([
    '0.9812 ± 0.0031', '1235 ± 56', '−2.50 ± 0.10', '1 ± 0', '1e−9 ± 1e−10',
  ]); // prettier-ignore
});

test('a verdict is turned where it speaks from the other side, its words else kept', () => {
  const found = groups({ comparisons: [compared({}), compared({ b: 2, verdict: 'inside the noise', text: 'inside the noise; about 9 more seeds would settle it' })] });
  expect(against(found, 1, 0)).toMatchObject({ difference: -0.02, low: -0.03, high: -0.01, verdict: 'worse', text: 'worse', intervalName: '95 % t of the pairs' });
  expect(against(found, 0, 1)).toMatchObject({ difference: 0.02, text: 'better' });
  expect(against(found, 2, 0)?.text).toBe('inside the noise; about 9 more seeds would settle it');
  expect(against(found, 1, 2)).toBe(null);
  expect(against(found, 1, 0)?.grounds).toBe("Student's paired t-test of 5 pairs, p = 0.004 alone, 0.008 corrected for 1 comparison (Holm), d_z = 2");
});

test('what cannot be settled has no difference', () => {
  const found = groups({ comparisons: [compared({ verdict: 'cannot be settled', text: 'cannot be settled with n = 1 here', difference: null, interval: null, test: null, p: null, p_cautious: null, p_holm: null, effect: null })] });
  expect(against(found, 1, 0)).toEqual({ difference: null, low: null, high: null, intervalName: '', verdict: 'cannot be settled', text: 'cannot be settled with n = 1 here', short: 'cannot be settled', more: 'with n = 1 here', grounds: '' });
});

test('what keeps a difference inside the noise, though its own interval leaves zero out, is said', () => {
  const noise = { verdict: 'inside the noise', text: 'inside the noise; about 2 more seeds would settle a difference of this size' };
  const of = (p: number, p_cautious: number, p_holm: number) => against(groups({ comparisons: [compared({ ...noise, p, p_cautious, p_holm })], corrected_for: 630 }), 1, 0)!;
  expect(of(0.00004, 0.0019, 1)).toMatchObject({ short: 'inside the noise of 630 comparisons', more: 'about 2 more seeds would settle a difference of this size' });
  expect(of(0.00004, 0.0019, 1).grounds).toContain('p < 0.001 alone, 0.0019 after caution, as the spreads differ, 1.00 corrected for 630 comparisons (Holm)');
  expect(of(0.005, 0.25, 1).short).toBe('inside the noise after caution: the spreads differ');
  expect(of(0.51, 1, 1).short).toBe('inside the noise');
  expect(against(groups({ comparisons: [compared({})] }), 1, 0)).toMatchObject({ short: 'worse', more: '' });
});

test('the heading names the interval of most groups, and none of equal values', () => {
  const of = (low: number, high: number, method: string) => group({ interval: { low, high, method } });
  expect(commonInterval([of(1, 1, 'all values are equal'), of(1, 2, 'Student t'), group({})])).toBe('95 % t');
  expect(commonInterval([of(1, 1, 'all values are equal')])).toBe('');
});

test('repeats of a seed are told as what they are', () => {
  expect(notesOf({ left_out: { repeated: ['a', 'b'] }, told: {} })[0]!.text).toBe('2 repeats of a seed are left out: the latest of each counts');
});

test('runs that do not count are counted', () => {
  expect(notesOf({ left_out: { running: ['a'], NaN: [] }, told: { unfinished: ['b', 'c'], odd: ['d'] } }).map((one) => one.text)).toEqual([
    '1 run still running, left out', '2 runs not finished, counted', '1 run odd',
  ]); // prettier-ignore
});

test('all dots and intervals fit into one scale', () => {
  const [low, high] = domainOf([group({ values: [1, 2] }), group({ values: [NaN], interval: { low: 0, high: 5, method: '' } })])!;
  expect(low < 0 && high > 5).toBe(true);
  expect(domainOf([group({})])).toBe(null);
  const [a, b] = domainOf([group({ values: [3] })])!;
  expect(a < 3 && b > 3).toBe(true);
});

test('p is said as one writes it', () => {
  expect([0.0001, 0.0312, 0.5, 1].map(pText)).toEqual(['< 0.001', '= 0.031', '= 0.50', '= 1.00']);
});

test('the table goes to CSV with whole numbers and quoted text', () => {
  const found = groups({ by: ['a'], groups: [group({ params: { a: 'x,"y' }, n: 1, values: [0.1] }), group({ params: {}, n: 0 })], comparisons: [compared({})] });
  const [, first, second] = groupsCsv(found, ['a'], 0).split('\n');
  expect(first).toBe('"x,""y",1,,,,,0.1,,,,');
  expect(second).toBe(',0,,,,,,-0.02,-0.03,-0.01,worse');
});

test('a difference has as many decimals as its interval makes sensible', () => {
  expect(differenceText({ difference: -0.004117, low: -0.03556, high: 0.02733 })).toEqual({ value: '−0.004', ends: '[−0.036, 0.027]' });
  expect(differenceText({ difference: 12.3, low: 2, high: 22.6 })).toEqual({ value: '+12', ends: '[2, 23]' });
  expect(differenceText({ difference: 0.02, low: null, high: null })).toEqual({ value: '+0.02', ends: '' });
  expect(differenceText({ difference: null, low: null, high: null })).toEqual({ value: '', ends: '' });
});

test('all are compared with the best that has a mean, where the server has done so', () => {
  const three = [group({ n: 1 }), group({ n: 5, mean: 1 }), group({ n: 5, mean: 2 })];
  const pairs = [compared({ a: 0, b: 1 }), compared({ a: 0, b: 2 })];
  expect(defaultBase({ groups: three, comparisons: [...pairs, compared({ a: 1, b: 2 })] })).toBe(1);
  expect(defaultBase({ groups: three, comparisons: pairs })).toBe(0);
  expect(defaultBase({ groups: [group({ n: 1 })], comparisons: [] })).toBe(0);
});
