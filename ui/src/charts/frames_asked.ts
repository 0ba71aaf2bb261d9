/**
 * Asks the server for frames: a few at a time, the newest question first, and remembers the last ones within a bound.
 *
 * A browser keeps six connections to a host, one of them the live stream; more questions would only wait in its queue,
 * where they cannot be overtaken. A question that is no longer wanted is not sent; one that is under way comes to its
 * end and is remembered, as the server would work on it all the same.
 */
import { askBytes } from '../api/client';
import { readFrame, type Frame } from '../data/frames';

const AT_ONCE = 4;
/** a store answers one question at a time, so what the reader looks at should not find many before it */
const NOT_URGENT = 1;
const KEPT_BYTES = 12e6;

interface Waiting {
  url: string;
  signal: AbortSignal;
  urgent: boolean;
  resolve: (frame: Frame) => void;
  reject: (error: unknown) => void;
}

interface Answer {
  frame: Frame;
  bytes: number;
}

const waiting: Waiting[] = [];
const underWay = new Map<string, Promise<Answer>>();
const kept = new Map<string, { frame: Frame; bytes: number }>();
let running = 0;
let keptBytes = 0;
let spent_ms = 0;

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
  underWay.clear(); // their answers are of before
}

/** How long the server has worked on frames since this was last asked, at most. */
export function takeSpent_ms(): number {
  const spent = spent_ms;
  spent_ms = 0;
  return spent;
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
  for (;;) {
    const each = waiting[0];
    if (!each || running >= (each.urgent ? AT_ONCE : NOT_URGENT)) return;
    waiting.shift();
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
  const found = rememberedFrame(url);
  if (found) return resolve(found);
  const answer = underWay.get(url) ?? sent(url);
  underWay.set(url, answer);
  try {
    const { frame, bytes } = await answer;
    if (underWay.get(url) === answer) keep(url, frame, bytes);
    if (signal.aborted) reject(signal.reason);
    else resolve(frame);
  } catch (error) {
    reject(error);
  } finally {
    if (underWay.get(url) === answer) underWay.delete(url);
  }
}

async function sent(url: string): Promise<Answer> {
  const began = performance.now();
  const bytes = await askBytes(url);
  spent_ms += performance.now() - began;
  return { frame: readFrame(bytes), bytes: bytes.byteLength };
}

/** Ask for what a chart will want as soon as it is there. */
export function askFrameAhead(url: string): void {
  askFrame(url, new AbortController().signal, true).catch(() => undefined); // the chart asks again, and tells
}
