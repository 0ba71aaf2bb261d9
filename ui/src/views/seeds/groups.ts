/** Statistics over seeds, as the server answers them, into rows and sentences. Pure; the verdicts are the server's own words. */
import type { Value } from '../../api/types';
import { fullNumber, many, number4 } from '../../data/format';
import { valueText } from '../run/params';

export interface Interval {
  low: number;
  high: number;
  method: string;
}

export interface GroupRun {
  id: string;
  value: number | null;
  seed: Value;
}

export interface Group {
  params: Record<string, Value>;
  n: number;
  nan: number;
  infinite: number;
  values: number[];
  mean: number | null;
  sd: number | null;
  median: number | null;
  iqm: number | null;
  interval: Interval | null;
  best: number | null;
  worst: number | null;
  runs: GroupRun[];
}

export interface Comparison {
  a: number;
  b: number;
  verdict: string;
  more_seeds: number | null;
  text: string;
  difference: number | null;
  interval: Interval | null;
  n_a: number;
  n_b: number;
  paired: boolean;
  test: string | null;
  p: number | null;
  p_cautious: number | null;
  p_holm: number | null;
  effect: number | null;
  effect_name: string | null;
}

export interface Groups {
  metric: string;
  goal: 'min' | 'max';
  at: string;
  by: string[];
  over: string[];
  over_found: boolean;
  inside: string[];
  groups: Group[];
  comparisons: Comparison[];
  corrected_for: number;
  uncompared: number;
  left_out: Record<string, string[]>;
  told: Record<string, string[]>;
}

export interface Labelled {
  key: string;
  text: string;
  missing: boolean;
}

/** Say by which params the groups differ, and what they all share.
 *
 * Those with several values come first, then those that only some have at all, the rarest first: what tells most stands where it is seen.
 */
export function varying(found: Pick<Groups, 'by' | 'groups'>): { keys: string[]; same: [string, Value][] } {
  const keys: { key: string; rank: number }[] = [];
  const same: [string, Value][] = [];
  for (const key of found.by) {
    const told = new Set(found.groups.map((group) => (Object.hasOwn(group.params, key) ? frozen(group.params[key]!) : '')));
    const having = found.groups.filter((group) => Object.hasOwn(group.params, key)).length;
    if (told.size > 1) keys.push({ key, rank: told.size - Number(told.has('')) > 1 ? 0 : having });
    else if (!told.has('') && found.groups.length > 0) same.push([key, found.groups[0]!.params[key]!]);
  }
  return { keys: keys.sort((a, b) => a.rank - b.rank).map((one) => one.key), same };
}

/** Name a group by what sets it apart. What it lacks and others have is said last. */
export function labelOf(group: Pick<Group, 'params'>, keys: readonly string[]): Labelled[] {
  const has = keys.filter((key) => Object.hasOwn(group.params, key)).map((key) => ({ key, text: valueText(group.params[key]!), missing: false }));
  const lacks = keys.filter((key) => !Object.hasOwn(group.params, key)).map((key) => ({ key, text: '', missing: true }));
  return [...has, ...lacks];
}

/** Cut keys to their last part, where that tells them apart. */
export function shortKeys(keys: readonly string[]): Map<string, string> {
  const last = (key: string): string => key.slice(key.lastIndexOf('.') + 1) || key;
  const isShared = (part: string): boolean => keys.filter((key) => last(key) === part).length > 1;
  return new Map(keys.map((key) => [key, isShared(last(key)) ? key : last(key)]));
}

export function labelText(parts: readonly Labelled[]): string {
  return parts.filter((part) => !part.missing).map((part) => `${part.key}=${part.text}`).join(' ') || 'all runs'; // prettier-ignore
}

function frozen(value: Value): string {
  return `${typeof value} ${valueText(value)}`;
}

/** Say mean and interval with n and the interval's name; of fewer than three runs their values alone. */
export function meanText(group: Pick<Group, 'n' | 'mean' | 'interval' | 'values'>): string {
  if (group.mean === null) return group.n === 0 ? 'no value' : 'n < 3: no mean';
  if (!group.interval) return number4(group.mean);
  const { low, high } = group.interval;
  const [down, up] = [group.mean - low, high - group.mean];
  if (Math.abs(up - down) <= 1e-6 * (up + down)) return plusMinus(group.mean, up);
  return `${number4(group.mean)} [${number4(low)}, ${number4(high)}]`;
}

/** Write a value with its half width: as many decimals as two digits of the width make sensible. */
export function plusMinus(value: number, half: number): string {
  if (!(half > 0) || !Number.isFinite(value) || !Number.isFinite(half)) return `${number4(value)} ± ${number4(half)}`;
  const decimals = 1 - Math.floor(Math.log10(half));
  if (decimals > 6 || decimals < -3) return `${number4(value)} ± ${number4(half)}`;
  const places = Math.max(0, decimals);
  return `${signed(value.toFixed(places), false)} ± ${half.toFixed(places)}`;
}

function signed(text: string, plus: boolean): string {
  return text.startsWith('-') ? `−${text.slice(1)}` : plus ? `+${text}` : text;
}

/** Write a difference and its interval, with as many decimals as two digits of its half width make sensible. */
export function differenceText({ difference, low, high }: Pick<Against, 'difference' | 'low' | 'high'>): { value: string; ends: string } {
  if (difference === null) return { value: '', ends: '' };
  const half = low === null || high === null ? 0 : (high - low) / 2;
  const decimals = half > 0 ? 1 - Math.floor(Math.log10(half)) : 99;
  if (low === null || high === null || decimals > 6 || decimals < -3) {
    return { value: deltaText(difference), ends: low === null || high === null ? '' : `[${number4(low)}, ${number4(high)}]` };
  }
  const fixed = (value: number, plus: boolean): string => signed(value.toFixed(Math.max(0, decimals)), plus && value > 0);
  return { value: fixed(difference, true), ends: `[${fixed(low, false)}, ${fixed(high, false)}]` };
}

/** Choose the group that the others are compared with where none was chosen: the best that has a mean, if the server compared with it. */
export function defaultBase(found: Pick<Groups, 'groups' | 'comparisons'>): number {
  const place = found.groups.findIndex((group) => group.mean !== null);
  if (place <= 0) return 0;
  const compared = found.comparisons.filter((one) => one.a === place || one.b === place).length;
  return compared >= found.groups.filter((group) => group.n > 0).length - 1 ? place : 0;
}

/** Write a difference with its sign. */
export function deltaText(value: number | bigint): string {
  return signed(number4(value).replace(/^−/, '-'), value > 0);
}

/** Name the interval of most groups, for their heading; of values that are all equal there is none to name. */
export function commonInterval(groups: readonly Pick<Group, 'interval'>[]): string {
  const counts = new Map<string, number>();
  for (const { interval } of groups) {
    if (interval && interval.low < interval.high) counts.set(intervalName(interval), (counts.get(intervalName(interval)) ?? 0) + 1);
  }
  return [...counts].reduce<[string, number]>((most, one) => (one[1] > most[1] ? one : most), ['', 0])[0];
}

/** Give the interval's name as one writes it beside a mean. */
export function intervalName(interval: Interval | null): string {
  return interval ? `95 % ${interval.method.replace(/^Student t\b/, 't')}` : '';
}

export interface Against {
  /** This group's number less the other's. */
  difference: number | null;
  low: number | null;
  high: number | null;
  intervalName: string;
  verdict: string;
  /** The server's words, turned where they speak from the other side. */
  text: string;
  /** The verdict alone, and where the interval beside it seems to say otherwise, what withholds it. */
  short: string;
  /** What the server says behind it. */
  more: string;
  grounds: string;
}

/** Below it a verdict is better or worse; as the server judges. */
const ALPHA = 0.05;

const TURNED: Record<string, string> = { better: 'worse', worse: 'better' };

/** Say how a group stands against another; null where the server has not compared the two. */
export function against(found: Groups, place: number, other: number): Against | null {
  for (const one of found.comparisons) {
    if (one.a === place && one.b === other) return told(one, false, found.corrected_for);
    if (one.a === other && one.b === place) return told(one, true, found.corrected_for);
  }
  return null;
}

function told(one: Comparison, turned: boolean, comparisons: number): Against {
  const turn = (value: number | null): number | null => (value === null || !turned ? value : -value);
  const ends = one.interval ? [turn(one.interval.low)!, turn(one.interval.high)!].sort((a, b) => a - b) : [];
  const verdict = turned ? (TURNED[one.verdict] ?? one.verdict) : one.verdict;
  return {
    difference: turn(one.difference),
    low: ends[0] ?? null,
    high: ends[1] ?? null,
    intervalName: intervalName(one.interval),
    verdict,
    text: one.text === one.verdict ? verdict : one.text,
    short: verdict + withheld(one, comparisons),
    more: one.text.startsWith(`${one.verdict}; `) ? one.text.slice(one.verdict.length + 2) : one.text.startsWith(one.verdict) ? one.text.slice(one.verdict.length).trim() : one.text,
    grounds: groundsOf(one, comparisons),
  };
}

/** Say what keeps a difference inside the noise whose own interval leaves zero out: caution, or the number of comparisons. */
function withheld({ p, p_cautious, p_holm }: Comparison, comparisons: number): string {
  if (p === null || p >= ALPHA || p_holm === null || p_holm < ALPHA) return '';
  if (p_cautious !== null && p_cautious >= ALPHA) return ' after caution: the spreads differ';
  return ` of ${many(comparisons, 'comparison')}`;
}

function groundsOf(one: Comparison, comparisons: number): string {
  const said: string[] = [];
  const raised = (p: number | null, before: number | null): p is number => p !== null && p !== before;
  if (one.test) said.push(one.paired ? `${one.test} of ${one.n_a} pairs` : `${one.test}, n = ${one.n_a} and ${one.n_b}`);
  if (one.p !== null) said.push(`p ${pText(one.p)}${raised(one.p_cautious, one.p) || raised(one.p_holm, one.p_cautious) ? ' alone' : ''}`);
  if (raised(one.p_cautious, one.p)) said.push(`${pText(one.p_cautious).replace(/^= /, '')} after caution, as the spreads differ`);
  if (raised(one.p_holm, one.p_cautious)) said.push(`${pText(one.p_holm).replace(/^= /, '')} corrected for ${many(comparisons, 'comparison')} (Holm)`);
  if (one.effect !== null && one.effect_name) said.push(`${one.effect_name} = ${number4(one.effect)}`);
  return said.join(', ');
}

export function pText(p: number): string {
  if (p < 0.001) return '< 0.001';
  return `= ${p < 0.1 ? Number(p.toPrecision(2)) : p.toFixed(2)}`;
}

const REASONS: Record<string, [what: string, fate: string]> = {
  running: ['still running', 'left out'],
  'no value': ['without a value', 'left out'],
  NaN: ['at NaN', 'left out'],
  infinite: ['at infinity', 'left out'],
  unfinished: ['not finished', 'counted'],
  'several ranks': ['with several ranks', 'counted by their mean'],
};

export interface Note {
  text: string;
  ids: string[];
}

/** Say which runs do not count, or count though one should know something of them. */
export function notesOf(found: Pick<Groups, 'left_out' | 'told'>): Note[] {
  const all = [...Object.entries(found.left_out), ...Object.entries(found.told)];
  return all
    .filter(([, ids]) => ids.length > 0)
    .map(([reason, ids]) => {
      if (reason === 'repeated') return { text: `${many(ids.length, 'repeat')} of a seed ${ids.length === 1 ? 'is' : 'are'} left out: the latest of each counts`, ids };
      const [what, fate] = REASONS[reason] ?? [reason, ''];
      return { text: [`${many(ids.length, 'run')} ${what}`, fate].filter(Boolean).join(', '), ids };
    });
}

/** Say what is shown: metric, at, goal, what it is taken over. */
export function sentence(found: Groups): string {
  const at = found.at.startsWith('step') ? `at ${found.at}` : found.at;
  const over = found.over.length > 0 ? `over ${found.over.join(', ')}` : 'nothing varies inside a group';
  return `${found.metric} ${at} · ${found.goal === 'min' ? 'lower' : 'higher'} is better · ${over}`;
}

/** Give what all dots must fit into, with a little room; of equal values a range around them. */
export function domainOf(groups: readonly Group[]): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const group of groups) {
    for (const value of [...group.values, group.interval?.low ?? Number.NaN, group.interval?.high ?? Number.NaN]) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return null;
  const room = high > low ? (high - low) * 0.03 : Math.abs(high) * 0.01 || 1;
  return [low - room, high + room];
}

/** Give the table as CSV, numbers whole. */
export function groupsCsv(found: Groups, keys: readonly string[], base: number): string {
  const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const full = (value: number | null | undefined): string => (value === null || value === undefined ? '' : fullNumber(value));
  const titles = [...keys, 'n', 'mean', 'low', 'high', 'interval', 'values', 'difference', 'difference_low', 'difference_high', 'verdict'];
  const rows = found.groups.map((group, place) => {
    const to = place === base ? null : against(found, place, base);
    return [
      ...keys.map((key) => (Object.hasOwn(group.params, key) ? valueText(group.params[key]!) : '')),
      String(group.n), full(group.mean), full(group.interval?.low), full(group.interval?.high), intervalName(group.interval),
      group.values.map(fullNumber).join(' '), full(to?.difference), full(to?.low), full(to?.high), to?.text ?? '',
    ]; // prettier-ignore
  });
  return [titles, ...rows].map((row) => row.map(cell).join(',')).join('\n') + '\n';
}
