/** The rows of a run's params: searched, and told apart from its group's. Pure. */
import type { Value } from '../../api/types';

export interface ParamRow {
  key: string;
  /** What stands before the last dot, with it: shown quieter. */
  prefix: string;
  name: string;
  value: Value;
  text: string;
  differs: boolean;
  /** What earlier attempts had, in words. */
  was: string;
}

/** Write a value on one line: text without quotes, lists and objects as JSON. */
export function valueText(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' || (typeof inner === 'number' && !Number.isFinite(inner)) ? String(inner) : inner,
  );
}

/** Give the params that fit the search, those that differ from the group first among equals of order: the order stays as it was set. */
export function paramRows(
  params: Record<string, Value>,
  differs: readonly string[],
  byAttempt: Record<string, Record<string, Value>> = {},
): ParamRow[] {
  const odd = new Set(differs);
  const was = new Map(Object.entries(byAttempt));
  return Object.entries(params).map(([key, value]) => {
    const dot = key.lastIndexOf('.') + 1;
    const earlier = Object.entries(was.get(key) ?? {});
    return {
      key,
      prefix: key.slice(0, dot),
      name: key.slice(dot),
      value,
      text: valueText(value),
      differs: odd.has(key),
      was: earlier.map(([attempt, old]) => `${valueText(old)} from attempt ${attempt}`).join(', '),
    };
  });
}

/** Keep the rows that hold every word of the search, in key or value. */
export function searched<Row extends { key: string; text: string }>(rows: readonly Row[], search: string): Row[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    const text = `${row.key} ${row.key}=${row.text}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
