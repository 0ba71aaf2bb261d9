/** Columns of the table, by the keys that the server knows them by: `params.lr`, `metrics.val/loss.min`, `created`. */
import type { Overview, OverviewColumn } from '../../api/types';
import type { Column } from '../../state/url';

export type Family = 'params' | 'metrics' | 'summary' | 'tags' | 'sparkline' | 'plain';

export interface ColumnNoun {
  key: string;
  family: Family;
  /** the param's or metric's own name */
  name: string;
  /** of a metric: last, min, … */
  number: string;
}

export const PLAIN = ['experiment', 'created', 'ended', 'duration_s', 'tags', 'notes', 'reason', 'attempts'] as const;
export const NUMBERS = ['last', 'min', 'max', 'first', 'mean', 'count', 'nan_count', 'step_of_min', 'step_of_max', 'last_step'] as const;

/** Always asked for, as the first cells are made of them. */
export const ALWAYS = ['name', 'status', 'created', 'ended'] as const;

export function columnNoun(key: string): ColumnNoun {
  const dot = key.indexOf('.');
  const family = dot < 0 ? 'plain' : key.slice(0, dot);
  const rest = key.slice(dot + 1);
  if (family === 'metrics') {
    const last = rest.lastIndexOf('.');
    return { key, family, name: rest.slice(0, last), number: rest.slice(last + 1) };
  }
  if (family === 'params' || family === 'summary' || family === 'tags' || family === 'sparkline') return { key, family, name: rest, number: '' };
  return { key, family: 'plain', name: key, number: '' };
}

const PLAIN_TITLES: Record<string, string> = { duration_s: 'duration', created: 'started', attempts: 'attempts' };

/** What stands in the header: the name, and the number of a metric where it is not the last. */
export function title({ family, name, number }: ColumnNoun): { name: string; number: string } {
  if (family === 'plain') return { name: PLAIN_TITLES[name] ?? name, number: '' };
  return { name, number: number === 'last' ? '' : number };
}

/** What it is, whole: for the tooltip and a screen reader. */
export function fullTitle({ family, name, number }: ColumnNoun): string {
  if (family === 'metrics') return `metric ${name}, ${number.replaceAll('_', ' ')}`;
  if (family === 'plain') return PLAIN_TITLES[name] ?? name;
  return `${family.replace(/s$/, '')} ${name}`;
}

/**
 * The columns shown: chosen ones, else what the overview proposes; pinned ones first. Where rows are groups, their params
 * stand in their names and need no columns.
 */
export function shownColumns(chosen: Column[] | null, overview: Overview | null, by: readonly string[] | null): Column[] {
  const proposed = (overview?.default ?? []).filter((key) => by === null || !key.startsWith('params.') || !(by.length === 0 || by.includes(key.slice(7))));
  const columns = chosen ?? proposed.map((key) => ({ key, pinned: false }));
  return [...columns.filter((each) => each.pinned), ...columns.filter((each) => !each.pinned)];
}

/** All that could be a column, the telling ones first, then what is the same everywhere, then what is empty. */
export function choosable(overview: Overview, names: { metrics: string[] } | null): (OverviewColumn | { key: string })[] {
  const told = new Set<string>();
  const found: (OverviewColumn | { key: string })[] = [];
  const add = (each: OverviewColumn | { key: string }): void => {
    if (told.has(each.key)) return;
    told.add(each.key);
    found.push(each);
  };
  overview.columns.forEach(add);
  const metrics = new Set(names?.metrics ?? []);
  for (const { key } of overview.columns) if (key.startsWith('metrics.')) metrics.add(columnNoun(key).name);
  for (const name of metrics) for (const number of NUMBERS) add({ key: `metrics.${name}.${number}` });
  for (const name of metrics) add({ key: `sparkline.${name}` });
  for (const key of PLAIN) add({ key });
  for (const { key } of overview.same) add({ key });
  for (const key of overview.empty) add({ key });
  return found;
}

export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  const [one] = next.splice(from, 1);
  if (one !== undefined) next.splice(Math.max(0, Math.min(to, next.length)), 0, one);
  return next;
}

export interface Order {
  key: string;
  down: boolean;
}

export function parseSort(sort: string): Order | null {
  const first = sort.split(',')[0]?.trim();
  if (!first) return null;
  return first.startsWith('-') ? { key: first.slice(1), down: true } : { key: first, down: false };
}

/** What a click on a header asks for next: the better way round first, then the other, then none. */
export function nextSort(sort: string, key: string, downFirst: boolean): string {
  const now = parseSort(sort);
  if (now?.key !== key) return downFirst ? `-${key}` : key;
  if (now.down === downFirst) return downFirst ? key : `-${key}`;
  return '';
}

/** Where a number is better high, or has no better side, the highest come first; a loss comes lowest first. */
export function isDownFirst({ family, name, number }: ColumnNoun, objective: Overview['objective'], numeric: boolean): boolean {
  if (family === 'plain') return name === 'created' || name === 'ended' || name === 'duration_s';
  if (family !== 'metrics') return numeric && family !== 'params';
  if (objective?.metric === name && objective.goal) return objective.goal === 'max';
  return number !== 'min' && !/loss|err|perplexity/i.test(name);
}

/** Where most groups would be one run, folding says nothing. */
export const ALONE_SHARE = 0.8;
