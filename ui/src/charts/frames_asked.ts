/**
 * Asks the server for frames: a few at a time, the newest question first, and remembers the last ones within a bound.
 *
 * A browser keeps six connections to a host, one of them the live stream; more questions would only wait in its queue,
 * where they cannot be overtaken.
 */
import { address, askBytes } from '../api/client';
import { readFrame, type Frame } from '../data/frames';

export interface Selection {
  q?: string;
  runs?: readonly string[];
  archived?: boolean;
  deleted?: boolean;
}

export interface Wish {
  metric: string;
  selection: Selection;
  x: string;
  from?: number | null;
  to?: number | null;
  buckets: number;
  curves: number;
  first?: readonly string[];
  bands: boolean;
  group?: readonly string[];
  centre?: 'mean' | 'median';
  as: 'f8' | 'u2';
  smooth: number;
}

/** The address of a wish; equal wishes have equal addresses. */
export function addressOf(store: string, wish: Wish): string {
  const { selection } = wish;
  return address(store, 'series', {
    metric: wish.metric,
    q: selection.q ?? null,
    runs: selection.runs ? selection.runs.map((id) => id.slice(0, 8)).join(',') : null,
    archived: selection.archived ?? false,
    deleted: selection.deleted ?? false,
    x: wish.x === 'step' ? null : wish.x,
    from: wish.from ?? null,
    to: wish.to ?? null,
    buckets: wish.buckets,
    curves: wish.curves,
    first: wish.first && wish.first.length > 0 ? wish.first.map((id) => id.slice(0, 8)).join(',') : null,
    bands: wish.bands ? null : 'false',
    group: wish.group ?? [],
    centre: wish.centre === 'median' ? 'median' : null,
    as: wish.as,
    smooth: wish.smooth > 0 ? wish.smooth : null,
  });
}

const AT_ONCE = 4;
const KEPT_BYTES = 12e6;

interface Waiting {
  url: string;
  signal: AbortSignal;
  urgent: boolean;
  resolve: (frame: Frame) => void;
  reject: (error: unknown) => void;
}

const waiting: Waiting[] = [];
const kept = new Map<string, { frame: Frame; bytes: number }>();
let running = 0;
let keptBytes = 0;

function keep(url: string, frame: Frame, bytes: number): void {
  drop(url);
  kept.set(url, { frame, bytes });
  keptBytes += bytes;
  for (const [oldest] of kept) {
    if (keptBytes <= KEPT_BYTES) break;
    drop(oldest);
  }
}

function drop(url: string): void {
  keptBytes -= kept.get(url)?.bytes ?? 0;
  kept.delete(url);
}

/** Forget what was remembered: runs have changed. */
export function forgetFrames(): void {
  kept.clear();
  keptBytes = 0;
}

/** What is remembered for an address, without asking. */
export function rememberedFrame(url: string): Frame | null {
  const found = kept.get(url);
  if (!found) return null;
  kept.delete(url);
  kept.set(url, found);
  return found.frame;
}

/** Ask for a frame; `urgent` goes before all that waits. Ends with the signal's error when it is no longer wanted. */
export function askFrame(url: string, signal: AbortSignal, urgent = false): Promise<Frame> {
  return new Promise((resolve, reject) => {
    const each: Waiting = { url, signal, urgent, resolve, reject };
    if (urgent) waiting.unshift(each);
    else waiting.push(each);
    next();
  });
}

function next(): void {
  while (running < AT_ONCE) {
    const each = waiting.shift();
    if (!each) return;
    if (each.signal.aborted) {
      each.reject(each.signal.reason);
      continue;
    }
    running++;
    void fetched(each).finally(() => {
      running--;
      next();
    });
  }
}

async function fetched({ url, signal, resolve, reject }: Waiting): Promise<void> {
  try {
    const bytes = await askBytes(url, signal);
    const frame = readFrame(bytes);
    keep(url, frame, bytes.byteLength);
    resolve(frame);
  } catch (error) {
    reject(error);
  }
}
