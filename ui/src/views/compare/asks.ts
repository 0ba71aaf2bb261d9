/** What the compare page asks of the server. */
import { address, ask } from '../../api/client';
import type { Value } from '../../api/types';
import type { Compared } from './sections';

export interface Change {
  key: string;
  kind: 'added' | 'removed' | 'changed' | 'moved' | 'unknown';
  a: Value;
  b: Value;
}

export interface MetricDiff {
  name: string;
  rank: number | null;
  goal: 'min' | 'max' | null;
  last: [number | null, number | null];
  common: number;
  differing: number;
  parting: { step: number | null; a: number; b: number; difference: number } | null;
}

export interface Diff {
  same_run: boolean;
  words: string[];
  changes: Record<string, Change[]>;
  same: Record<string, number>;
  unknown: Record<string, string[]>;
  code: { files: { path: string; change: string; diff: string[] }[]; notes: string[]; command: string | null };
  metrics: MetricDiff[];
  equal_metrics: MetricDiff[];
}

export const askCompared = (store: string, runs: readonly string[], baseline: string | null, signal?: AbortSignal): Promise<Compared> =>
  ask(address(store, 'compare', { runs: runs.join(','), baseline }), signal);

export const askDiff = (store: string, a: string, b: string, signal?: AbortSignal): Promise<Diff> => ask(address(store, 'diff', { a, b }), signal);
