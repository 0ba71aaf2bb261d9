/** The columns that scatter and parallel coordinates draw, from the rows that differ. Pure. */
import type { Value } from '../../api/types';
import { valueText } from '../run/params';
import type { Compared } from './sections';

export interface Column {
  name: string;
  values: (number | string | null)[];
}

const AXES_MAX = 9;
const SEED = /(^|[._])(seed|rng)s?($|[._])|random_state/i;

function cell(value: Value): number | string | null {
  if (value === null || typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : valueText(value);
}

function rowsOf(found: Compared, section: string): Column[] {
  const rows = found.sections.find((one) => one.name === section)?.rows ?? [];
  return rows.map((row) => ({ name: row.key, values: row.values.map(cell) }));
}

/** How a metric is called beside a param of its name. */
const asMetric = (name: string): string => `${name} (metric)`;

/** Give what may stand on an axis: params that differ, those that only draw numbers last, then the metrics. */
export function axesOf(found: Compared): { params: Column[]; metrics: Column[] } {
  const params = rowsOf(found, 'params');
  const taken = new Set(params.map((one) => one.name));
  const metrics = rowsOf(found, 'metrics').map((one) => (taken.has(one.name) ? { ...one, name: asMetric(one.name) } : one));
  return { params: [...params.filter((one) => !SEED.test(one.name)), ...params.filter((one) => SEED.test(one.name))], metrics };
}

/** Choose the axes of parallel coordinates: params most runs have, and the metric at the end. */
export function parallelAxes(found: Compared, metric: string | null): Column[] {
  const { params, metrics } = axesOf(found);
  const half = found.runs.length / 2;
  const known = params.filter((one) => one.values.filter((value) => value !== null).length > half);
  const last = metric === null ? undefined : metrics.find((one) => one.name === metric || one.name === asMetric(metric));
  return last ? [...known.slice(0, AXES_MAX - 1), last] : known.slice(0, AXES_MAX);
}

/** Narrow the ticked runs to those that a brush leaves: of those compared that were ticked before, all where none was. What is not compared stays. */
export function narrowed(before: readonly string[], compared: readonly string[], left: readonly string[] | null): string[] {
  if (left === null) return [...before];
  const isOf = (id: string): boolean => compared.some((one) => one.startsWith(id));
  const outside = before.filter((id) => !isOf(id));
  const inside = before.filter(isOf);
  const kept = left.filter((id) => inside.length === 0 || inside.some((one) => id.startsWith(one)));
  return [...outside, ...kept.map((id) => id.slice(0, 8))];
}
