/** What a row of several runs says in each column. Pure. */
import type { Value } from '../../api/types';
import { number4 } from '../../data/format';
import { numberIn, plain, whole, type Scale } from './cells';
import { intervalOf } from './interval';
import { nameOf, type GroupRow } from './rows';

export interface GroupCell {
  text: string;
  /** faint, behind the text: the half width of the interval */
  aside: string;
  tip: string;
  number: boolean;
}

const NOTHING: GroupCell = { text: '', aside: '', tip: '', number: false };

/** Name a group by the params that no column shows, the telling ones first, else by how its runs' names begin. */
export function groupName(group: GroupRow, shown: ReadonlySet<string>, rank: ReadonlyMap<string, number>): string {
  const place = (key: string): number => rank.get(`params.${key}`) ?? Number.POSITIVE_INFINITY;
  const words = Object.entries(group.params)
    .filter(([key]) => !shown.has(`params.${key}`))
    .sort(([a], [b]) => (place(a) === place(b) ? 0 : place(a) - place(b)))
    .map(([key, value]) => (typeof value === 'string' && /^\p{L}/u.test(value) ? plain(value) : `${key.split('.').at(-1)}=${value === null ? '–' : plain(value)}`));
  if (words.length > 0) return words.join(' ');
  const names = group.members?.map(nameOf) ?? [];
  return commonBeginning(names) || (names[0] ?? '');
}

export function commonBeginning(names: readonly string[]): string {
  let begin = names[0] ?? '';
  for (const name of names) while (!name.startsWith(begin)) begin = begin.slice(0, -1);
  return begin.replace(/[\s\-_./#(:]+(s|seed)?$/i, '');
}

/** All the params of a group in words, for its tooltip. */
export function groupTip(group: GroupRow): string {
  return Object.entries(group.params)
    .map(([key, value]) => `${key} = ${value === null ? 'missing' : whole(value)}`)
    .join('\n');
}

/** The mean of the folded metric with its interval, or the reason why there is none. */
export function meanCell(group: GroupRow, scale: Scale, interval: string): GroupCell {
  if (group.mean === null) {
    return { ...NOTHING, aside: group.n === 0 ? '' : `n=${group.n}`, tip: 'A mean is shown from 3 runs on.', number: true };
  }
  const half = group.low !== null && group.high !== null ? (group.high - group.low) / 2 : null;
  return {
    text: numberIn(group.mean, scale),
    aside: half === null ? '' : `±${halfText(half, scale)}`,
    tip: `mean ${group.mean}${half === null ? '' : ` ± ${number4(half)} (${interval})`}, n=${group.n}`,
    number: true,
  };
}

/** Write a half width with two digits, and no more decimals than its mean has. */
function halfText(half: number, scale: Scale): string {
  if (scale.decimals === null || half === 0) return number4(Number(half.toPrecision(2)));
  const scaled = half / 10 ** scale.exponent;
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(scaled)));
  return scaled.toFixed(Math.min(decimals, scale.decimals));
}

/** What a column says of all runs of a group: the value they share, the mean of their numbers, or how many there are. */
export function groupCell(group: GroupRow, key: string, scale: Scale): GroupCell {
  const param = key.startsWith('params.') ? key.slice(7) : null;
  if (param !== null && param in group.params) {
    const value = group.params[param] ?? null;
    return shared(value, scale);
  }
  const values = (group.members ?? []).map((row) => row.cells[key] ?? null).filter((value): value is Exclude<Value, null> => value !== null);
  if (values.length === 0) return NOTHING;
  if (new Set(values.map(whole)).size === 1 && values.length === group.ids.length) return shared(values[0] ?? null, scale);
  if (!values.every((value) => typeof value === 'number')) {
    const distinct = new Set(values.map(whole)).size;
    return { ...NOTHING, aside: `${distinct} value${distinct === 1 ? '' : 's'}`, tip: [...new Set(values.map(plain))].slice(0, 12).join(', ') };
  }
  if (param !== null) return { ...NOTHING, aside: `${new Set(values).size} values`, tip: values.slice(0, 12).map(whole).join(', '), number: true };
  const { n, mean, half } = intervalOf(values);
  if (mean === null || half === null) return { ...NOTHING, aside: `n=${n}`, tip: `${values.map(whole).join(', ')}\nA mean is shown from 3 runs on.`, number: true };
  return { text: numberIn(mean, scale), aside: `±${halfText(half, scale)}`, tip: `mean ${mean} ± ${number4(half)} (95 % t), n=${n}`, number: true };
}

function shared(value: Value, scale: Scale): GroupCell {
  if (typeof value === 'number' || typeof value === 'bigint') return { text: numberIn(value, scale), aside: '', tip: whole(value), number: true };
  return { text: plain(value), aside: '', tip: whole(value), number: false };
}
