/** Questions to the server. Nothing else in the app fetches. */
import { contact } from './contact.svelte';
import { decode } from './decoding';
import { Refused, Unreachable } from './errors';
import type { Change, Edit, Folded, Names, Overview, RunsAnswer, Stores } from './types';

export type Asked = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** Write parameters; a list becomes its name repeated, what is empty is left out. */
export function query(asked: Asked): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    if (value === null || value === undefined || value === '' || value === false) continue;
    if (typeof value === 'object') for (const each of value) said.append(name, each);
    else said.append(name, String(value));
  }
  const text = said.toString();
  return text === '' ? '' : `?${text}`;
}

export function address(store: string | null, route: string, asked: Asked = {}): string {
  const base = store === null ? '/api/v1' : `/api/v1/stores/${encodeURIComponent(store)}`;
  return `${base}/${route}${query(asked)}`;
}

/** up to which turn of its live stream the oldest of the first answers about a store knew, by the store's part of the address */
const turns = new Map<string, string>();

/** What a stream must be asked from, so that nothing is missed that came after the first answer. */
export const firstTurn = (store: string): string | null => turns.get(encodeURIComponent(store)) ?? null;

/** Turns are numbered within the life of a server. */
function isBefore(one: string, other: string): boolean {
  const [[life, turn], [otherLife, otherTurn]] = [one.split('-'), other.split('-')];
  return life === otherLife && Number(turn) < Number(otherTurn);
}

function noteTurn(url: string, answer: Response): void {
  const turn = answer.headers.get('Runfolio-Turn');
  const store = url.split('/')[4];
  if (turn === null || store === undefined) return;
  const before = turns.get(store);
  if (before === undefined || isBefore(turn, before)) turns.set(store, turn);
}

const ahead = new Map<string, Promise<unknown>>();

/** Send a question before there is anyone to ask it; who asks it first gets this answer. */
export function askAhead<T>(url: string): Promise<T> {
  const answer = asked<T>(url);
  answer.catch(() => ahead.delete(url)); // it will be asked again, and its failure told
  ahead.set(url, answer);
  return answer;
}

async function fetched(url: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    contact.lose();
    throw new Unreachable('The server does not answer.');
  }
  if (answer.status === 503) throw await refusal(answer);
  contact.hear();
  noteTurn(url, answer);
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

async function refusal(answer: Response): Promise<Refused> {
  const text = await answer.text();
  try {
    const { kind, message, column = null, near = [] } = decode<{ error: Refused }>(text).error;
    return new Refused(answer.status, kind, message, column, near);
  } catch {
    return new Refused(answer.status, 'HTTPError', `The server answered ${answer.status} ${answer.statusText}.`);
  }
}

export function ask<T>(url: string, signal?: AbortSignal): Promise<T> {
  const sent = ahead.get(url);
  ahead.delete(url);
  return (sent as Promise<T> | undefined) ?? asked(url, signal);
}

async function asked<T>(url: string, signal?: AbortSignal): Promise<T> {
  const answer = await fetched(url, { headers: { Accept: 'application/json' }, ...(signal && { signal }) });
  return decode<T>(await answer.text());
}

/** Frames and bytes. */
export async function askBytes(url: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const answer = await fetched(url, signal ? { signal } : {});
  return answer.arrayBuffer();
}

export async function change<T>(url: string, body: unknown): Promise<T> {
  const answer = await fetched(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify(body),
  });
  return decode<T>(await answer.text());
}

export interface Selected {
  q?: string;
  archived?: boolean;
  deleted?: boolean;
}

export const askStores = (signal?: AbortSignal): Promise<Stores> => ask(address(null, 'stores'), signal);

export const askNames = (store: string, signal?: AbortSignal): Promise<Names> => ask(address(store, 'names'), signal);

/** Rows of a piece of the table; ahead.py of the server tells the browser to ask for the first one. */
export const PIECE = 40;

/** What a selection is made of; with its table's first rows, where the table is as it is by itself. */
export const overviewAddress = (store: string, asked: Selected, isPlain: boolean): string => address(store, 'overview', { ...asked, rows: isPlain ? PIECE : null });

export const askOverview = (store: string, asked: Selected, isPlain = false, signal?: AbortSignal): Promise<Overview> => ask(overviewAddress(store, asked, isPlain), signal);

export interface RunsAsked extends Selected {
  runs?: string;
  sort?: string;
  column?: readonly string[];
  offset?: number;
  limit?: number;
  sparkline?: string | null;
}

export const askRuns = (store: string, asked: RunsAsked, signal?: AbortSignal): Promise<RunsAnswer> =>
  ask(address(store, 'runs', { ...asked }), signal);

export interface FoldedAsked extends Selected {
  by?: readonly string[];
  over?: readonly string[];
  /** whether rows name their runs */
  members?: 'false';
  metric?: string | null;
  at?: string;
  sort?: string;
  offset?: number;
  limit?: number;
}

export const askFolded = (store: string, asked: FoldedAsked, signal?: AbortSignal): Promise<Folded> =>
  ask(address(store, 'folded', { ...asked }), signal);

export const edit = (store: string, what: Edit): Promise<Change> => change(address(store, 'edits'), what);

/** Take back the last change, or the one of this id. */
export const undo = (store: string, only: string | null = null): Promise<Change> => change(address(store, 'undo'), only === null ? {} : { change: only });
