/** What the run page asks of the server. */
import { address, ask } from '../../api/client';
import type { Overview } from '../../api/types';
import type { RunFacts } from './facts';
import type { Chunk } from './output';

export interface Preview {
  kind: 'image' | 'audio' | 'video' | 'html' | 'text' | 'json' | 'table' | 'none';
  size: number;
  type: string;
  text: string | null;
  cut: boolean | null;
  columns: string[] | null;
  rows: (string | null)[][] | null;
  rows_total: number | null;
}

export interface Match {
  line: number;
  from: number;
  text: string;
}

const ofRun = (run: string, route: string): string => `runs/${encodeURIComponent(run)}${route}`;

export const askRun = (store: string, run: string, signal?: AbortSignal): Promise<RunFacts> => ask(address(store, ofRun(run, '')), signal);

/** Bytes of the output: `from` below 0 counts from the end. */
export const askOutput = (store: string, run: string, from: number, bytes: number, signal?: AbortSignal): Promise<Chunk> =>
  ask(address(store, ofRun(run, '/output'), { from: String(from), bytes }), signal);

export const askMatches = (store: string, run: string, text: string, limit: number, signal?: AbortSignal): Promise<{ matches: Match[]; more: boolean }> =>
  ask(address(store, ofRun(run, '/output/search'), { text, limit }), signal);

export const askPreview = (store: string, run: string, name: string, version: number, signal?: AbortSignal): Promise<Preview> =>
  ask(address(store, ofRun(run, '/preview'), { name, version }), signal);

/** The address of an artifact's bytes: to be shown in a sandbox, or kept as a file. */
export const artifactAddress = (store: string, run: string, name: string, version: number, view: boolean): string =>
  address(store, ofRun(run, '/artifact'), { name, version, view });

/** What the runs of one experiment share and where they differ. */
export const askExperiment = (store: string, experiment: string, signal?: AbortSignal): Promise<Overview> =>
  ask(address(store, 'overview', { q: `experiment = ${filterText(experiment)}` }), signal);

/** Write text as the filter language takes it. */
export function filterText(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t').replace(/\r/g, '\\r')}"`;
}
