/** What the server tells of one run: the object of `runfolio show --json`, times in ms; docs/formats/api.md. */
import type { Status, Value } from '../../api/types';

export type Num = number | bigint;

export interface MetricFacts {
  last: Num | null;
  min: Num | null;
  max: Num | null;
  mean: number | null;
  first: Num | null;
  count: number;
  nan_count: number;
  step_of_min: Num | null;
  step_of_max: Num | null;
  first_step: Num | null;
  last_step: Num | null;
  ranks?: Record<string, MetricFacts>;
}

export interface Failure {
  kind: string;
  message: string;
  traceback: string;
}

export interface Attempt {
  number: number;
  status: Status | null;
  reason: string | null;
  exit_code: number | null;
  signal: string | number | null;
  rewind_to: number | null;
  command: Value;
  error: Failure | null;
  started: number | null;
  ended: number | null;
}

export interface ArtifactFacts {
  name: string;
  version: number;
  sha256: string;
  size_bytes: number;
  step: number | null;
  media: string | null;
  attempt: number;
  time: number | null;
}

export interface DataFacts {
  path: string;
  kind: string | null;
  size_bytes: number | null;
  sha256: string | null;
}

export interface RunFacts {
  id: string;
  name: string | null;
  experiment: string | null;
  status: Status;
  reason: string | null;
  since: number | null;
  params: Record<string, Value>;
  tags: Record<string, Value>;
  metrics: Record<string, MetricFacts>;
  summary: Record<string, Value>;
  notes: string;
  created: number;
  started: number | null;
  ended: number | null;
  duration_s: number;
  attempts: number;
  exit_code: number | null;
  goals: Record<string, 'min' | 'max'>;
  total_steps: number | null;
  lost_points: number;
  warnings: string[];
  spooled_in: string[];
  copy_of: string | null;
  aliases: string[];
  archived: boolean;
  deleted: boolean;
  folder?: string;
  progress: { step: number | null; total_steps: number | null; fraction: number | null; left_s: number | null };
  history: Attempt[];
  error: Failure | null;
  lost: { points: number; calls: number; events: number; causes: string[]; since: number | null };
  params_by_attempt: Record<string, Record<string, Value>>;
  conflicts: Value[];
  artifacts: ArtifactFacts[];
  data: DataFacts[];
  capture: { [field: string]: Value };
  records: Value[];
  views: { format: string; path: string; options: Value }[];
  sinks: { kind: string; options: Value }[];
  sent: { sink: string; sent: number; dropped: number; error: string | null }[];
  output: { size_bytes?: number; cut_bytes?: number };
  /** Ids of the runs equal but for the seed, by seed; this run among them or not. */
  siblings: string[];
  /** The params that other runs of its group have otherwise. */
  differs: string[];
}

type Named = { [key: string]: Value };

/** Give nested facts that were captured; empty where they are of another shape. */
export function named(value: Value | undefined): Named {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}

export function textOf(value: Value | undefined): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
}
