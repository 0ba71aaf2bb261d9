/** Runs side by side, as the server compares them, into cells. Pure. */
import type { Status, Value } from '../../api/types';
import { number4 } from '../../data/format';
import { named } from '../run/facts';
import type { RunFacts } from '../run/facts';
import { valueText } from '../run/params';
import { visible } from '../../data/visible';
import { deltaText } from '../seeds/groups';

export type SectionName = 'params' | 'metrics' | 'code' | 'packages' | 'machine';

export interface ComparedRow {
  key: string;
  values: Value[];
  differs: boolean[];
  goal?: 'min' | 'max' | null;
  best?: number[];
  delta?: (number | bigint | null)[];
}

export interface ComparedSection {
  name: SectionName;
  equal: number;
  rows: ComparedRow[];
}

export interface Compared {
  runs: { id: string; name: string | null; status: Status }[];
  baseline: string;
  sections: ComparedSection[];
}

export interface Cell {
  text: string;
  /** What a hover and a copy give. */
  full: string;
  missing: boolean;
  differs: boolean;
  best: boolean;
  delta: string;
}

export interface Row {
  key: string;
  goal: 'min' | 'max' | null;
  number: boolean;
  cells: Cell[];
  spread: Spread | null;
}

export interface Spread {
  /** Where each value stands, 0 to 1; null for what is no number. */
  places: (number | null)[];
  words: string;
}

export const TITLES: Record<SectionName, string> = { params: 'Parameters', metrics: 'Metrics', code: 'Code', packages: 'Packages', machine: 'Machine' };

const DELTA_DIGITS = 3;
const CELL_CHARS = 120;
const FULL_CHARS = 2000;

/** Write what a row's cells show. */
export function rowOf(row: ComparedRow, section: SectionName): Row {
  const numbers = row.values.every((value) => value === null || isNumber(value)) && row.values.some(isNumber);
  return {
    key: row.key,
    goal: row.goal ?? null,
    number: numbers,
    spread: spreadOf(row.values),
    cells: row.values.map((value, at) => cellOf(row, value, at, section)),
  };
}

function cellOf(row: ComparedRow, value: Value, at: number, section: SectionName): Cell {
  const delta = row.delta?.[at];
  return {
    text: value === null ? '–' : section === 'metrics' && isNumber(value) ? number4(value) : shortText(value),
    full: value === null ? 'none' : visible(valueText(value)).slice(0, FULL_CHARS),
    missing: value === null,
    differs: row.differs[at] ?? false,
    best: (row.best ?? []).includes(at) && (row.best ?? []).length < row.values.length,
    delta: delta === null || delta === undefined || delta === 0 || Number.isNaN(delta) ? '' : deltaText(typeof delta === 'number' ? Number(delta.toPrecision(DELTA_DIGITS)) : delta),
  };
}

/** Cut what would widen its column; the whole is on hover. A commit is known by its beginning. */
function shortText(value: Value): string {
  if (isNumber(value)) return Number.isInteger(value) || typeof value === 'bigint' ? String(value) : number4(value);
  const text = valueText(value);
  return /^[0-9a-f]{40}$/.test(text) ? text.slice(0, 8) : visible(text.slice(0, CELL_CHARS));
}

export function isNumber(value: Value | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** Say where numbers stand between their least and greatest, by size where they span orders; of other values how many there are. */
export function spreadOf(values: readonly Value[]): Spread | null {
  const numbers = values.map((value) => (isNumber(value) && Number.isFinite(Number(value)) ? value : null));
  const known = numbers.filter((value) => value !== null);
  if (known.length < 2) {
    const kinds = new Set(values.filter((value) => value !== null).map(valueText)).size;
    return kinds > 1 ? { places: [], words: `${kinds} different` } : null;
  }
  const [low, high] = [known.reduce((least, one) => (one < least ? one : least)), known.reduce((most, one) => (one > most ? one : most))];
  const log = low > 0 && Number(high) / Number(low) >= 50;
  const above = (value: number | bigint): number => (log ? Math.log(Number(value)) - Math.log(Number(low)) : less(value, low));
  const room = above(high);
  const isLarge = typeof low === 'bigint' && typeof high === 'bigint' && !log; // what sets them apart is in their last digits
  return {
    places: numbers.map((value) => (value === null ? null : room > 0 ? above(value) / room : 0.5)),
    words: `${isLarge ? String(low) : number4(low)} to ${isLarge ? String(high) : number4(high)}${log ? ', log scale' : ''}`,
  };
}

/** Give the difference of two numbers; of whole ones as it is, also where they are too large for it as floats. */
function less(one: number | bigint, other: number | bigint): number {
  return Number.isInteger(Number(one)) && Number.isInteger(Number(other)) ? Number(BigInt(one) - BigInt(other)) : Number(one) - Number(other);
}

/** Give what is equal in all runs, from the facts of one of them and the rows that differ. */
export function equalOf(section: SectionName, facts: RunFacts, rows: readonly { key: string }[]): [string, string][] {
  const differing = new Set(rows.map((row) => row.key));
  const all = factsOf(section, facts);
  return all.filter(([key]) => !differing.has(key)).map(([key, value]) => [key, valueText(value)]);
}

function factsOf(section: SectionName, { params, metrics, capture }: RunFacts): [string, Value][] {
  if (section === 'params') return Object.entries(params);
  if (section === 'metrics') return Object.entries(metrics).map(([name, told]) => [name, told.last]);
  if (section === 'packages') return Object.entries(named(capture.packages));
  if (section === 'code') return Object.entries(named(capture.git)).filter(([key]) => ['commit', 'branch', 'dirty', 'remote'].includes(key));
  const machine = Object.entries(capture).filter(([key]) => !['git', 'packages', 'command', 'cwd', 'user'].includes(key));
  return machine.flatMap(([key, value]) => flat(key, value));
}

function flat(key: string, value: Value): [string, Value][] {
  if (value === null || typeof value !== 'object') return [[key, value]];
  return Object.entries(value).flatMap(([inner, one]) => flat(`${key}.${inner}`, one));
}

/** Say in words what the table holds: what differs and what is equal. */
export function summaryOf(sections: readonly ComparedSection[]): string {
  const said = sections.map(({ name, equal, rows }) => {
    const differ = rows.length === 0 ? 'all equal' : `${rows.length} differ`;
    return `${TITLES[name].toLowerCase()}: ${differ}${equal > 0 && rows.length > 0 ? `, ${equal} equal` : ''}`;
  });
  return said.join(' · ');
}

/** Write the table as CSV. */
export function comparedCsv(found: Compared): string {
  const cell = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const head = ['section', 'key', ...found.runs.map((run) => run.name ?? run.id.slice(0, 8))];
  const rows = found.sections.flatMap(({ name, rows: told }) =>
    told.map((row) => [name, row.key, ...row.values.map((value) => (value === null ? '' : valueText(value)))]),
  );
  return [head, ...rows].map((row) => row.map(cell).join(',')).join('\n') + '\n';
}
