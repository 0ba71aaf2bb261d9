/** What the server answers; docs/formats/api.md. Numbers that JSON cannot carry come decoded: NaN, ±Infinity, bigint. */

export type Status = 'running' | 'finished' | 'failed' | 'killed' | 'lost';
export type Value = string | number | bigint | boolean | null | Value[] | { [key: string]: Value };

export interface Stores {
  stores: { name: string; id: string; runs: number; running: number; writable: boolean }[];
  version: string;
}

export interface Names {
  params: string[];
  metrics: string[];
  summary: string[];
  tags: string[];
  goals: Record<string, 'min' | 'max'>;
  experiments: { name: string; runs: number; running: number }[];
  objective: string | null;
}

export interface OverviewColumn {
  key: string;
  kind: 'number' | 'text' | 'bool' | 'mixed';
  filled: number;
  distinct: number;
  /** null: cannot be told */
  weight: number | null;
}

export interface Overview {
  total: number;
  running: number;
  objective: { metric: string; goal: 'min' | 'max' | null } | null;
  over: string[];
  columns: OverviewColumn[];
  same: { key: string; value: Value }[];
  empty: string[];
  default: string[];
  /** runs that differ in nothing but a seed may be found */
  folds: boolean;
  /** the first rows, where they were asked for: groups with the runs in the first of them, or runs */
  table: { runs: RunsAnswer | null; folded: Folded | null } | null;
}

export interface RunsAnswer {
  total: number;
  offset: number;
  ids: string[];
  columns: Record<string, Value[]>;
  sparklines?: (number[] | null)[];
}

export interface FoldedRow {
  params: Record<string, Value>;
  runs: number;
  /** how many count: those that run no more and have a number */
  n: number;
  ids: string[];
  values: (number | null)[];
  statuses: Partial<Record<Status, number>>;
  mean: number | null;
  low: number | null;
  high: number | null;
  median: number | null;
}

export interface Folded {
  total: number;
  runs: number;
  by: string[];
  over: string[];
  interval: string;
  rows: FoldedRow[];
}

export interface Change {
  change: string | null;
  what?: string;
  runs?: number;
}

export interface Edit {
  runs?: string[];
  q?: string;
  name?: string;
  notes?: string;
  add_tags?: Record<string, string>;
  remove_tags?: string[];
  archived?: boolean;
  deleted?: boolean;
}

export interface LiveRun {
  id: string;
  status: Status;
  new?: boolean;
  gone?: boolean;
  step: number | null;
  values?: Record<string, [step: number | null, value: number, time_ms: number]>;
}
