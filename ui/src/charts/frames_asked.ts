/**
 * Asks the server for frames: a few at a time, what is urgent first, and remembers the last ones within a bound.
 * What is not urgent, as small charts that come one after the other, is gathered, and asked in one question where only the metric differs.
 *
 * A browser keeps six connections to a host, one of them the live stream; more questions would only wait in its queue,
 * where they cannot be overtaken. A question that is no longer wanted is not sent; one that is under way comes to its
 * end and is remembered, as the server would work on it all the same.
 */
import { askBytes } from '../api/client';
import { Refused, Unreachable } from '../api/errors';
import { partsOf, readFrame, type Frame } from '../data/frames';

const AT_ONCE = 4;
/** a store answers one question at a time, so what the reader looks at should not find many before it */
const NOT_URGENT = 1;
const KEPT_BYTES = 12e6;
/** what is not urgent is sent when nothing came to it for so long, or the first of it has waited long */
const GATHER_MS = 60;
const GATHER_MOST_MS = 250;
const TOGETHER_MAX = 8;
/** what is asked ahead and could not be sent for so long is not sent any more: another view may be wanted by then */
const AHEAD_MS = 2000;

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
/** what was too much for one answer, by all but the metric */
const tooMuch = new Set<string>();
const kept = new Map<string, { frame: Frame; bytes: number }>();
let running = 0;
let gathering: ReturnType<typeof setTimeout> | undefined;
let gatheringSince_ms = 0;
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
    if (urgent) {
      waiting.unshift(each);
      return next();
    }
    waiting.push(each);
    gather();
  });
}

function gather(): void {
  const now = performance.now();
  if (gathering === undefined) gatheringSince_ms = now;
  clearTimeout(gathering);
  gathering = setTimeout(
    () => {
      gathering = undefined;
      next();
    },
    Math.min(GATHER_MS, Math.max(0, gatheringSince_ms + GATHER_MOST_MS - now)),
  );
}

function next(): void {
  for (;;) {
    const each = waiting[0];
    if (!each || running >= (each.urgent ? AT_ONCE : NOT_URGENT) || (!each.urgent && gathering !== undefined)) return;
    waiting.shift();
    if (each.signal.aborted) {
      each.reject(each.signal.reason);
      continue;
    }
    running++;
    const group = each.urgent ? [each] : [each, ...takeAlike(each)];
    if (group.length > 1) sendTogether(group.map(({ url }) => url));
    void Promise.all(group.map(fetched)).finally(() => {
      running--;
      next();
    });
  }
}

const isKnown = (url: string): boolean => kept.has(url) || underWay.has(url);
/** an address without its metric, which stands first */
const restOf = (url: string): string => url.replace(/\?metric=[^&]*/, '?');
const metricOf = (url: string): string => /\?(metric=[^&]*)/.exec(url)?.[1] ?? '';

/** Take out of what waits all that can be asked with this one; of very many runs (those have no bands) one metric is enough at a time. */
function takeAlike({ url }: Waiting): Waiting[] {
  if (isKnown(url) || url.includes('&bands=false') || tooMuch.has(restOf(url))) return [];
  const alike = waiting.filter((each) => !each.urgent && !each.signal.aborted && each.url !== url && restOf(each.url) === restOf(url) && !isKnown(each.url)).slice(0, TOGETHER_MAX - 1);
  for (const each of alike) waiting.splice(waiting.indexOf(each), 1);
  return alike;
}

/** Whether an error would be that of each question alone too. */
const isOfAll = (error: unknown): boolean => error instanceof Unreachable || (error instanceof Refused && (error.status === 503 || error.kind === 'FilterError'));

/** Ask for several frames at once. Where that is refused, each is asked for alone, one after the other: one that is wrong should not stand for all. */
function sendTogether(urls: string[]): void {
  const distinct = [...new Set(urls)];
  const together = sentTogether(distinct);
  let before: Promise<unknown> = together;
  distinct.forEach((url, i) => {
    const turn = before.catch(() => undefined);
    const answer = together.then(
      (parts): Answer => ({ frame: readFrame(parts[i] as ArrayBuffer), bytes: (parts[i] as ArrayBuffer).byteLength }),
      async (error: unknown) => {
        if (isOfAll(error)) throw error;
        tooMuch.add(restOf(url));
        await turn;
        return sent(url);
      },
    );
    answer.catch(() => undefined); // told to who waits for it
    underWay.set(url, answer);
    before = answer;
  });
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

async function sentTogether(urls: string[]): Promise<ArrayBuffer[]> {
  const began = performance.now();
  const bytes = await askBytes(restOf(urls[0] as string).replace('?', `?${urls.map(metricOf).join('&')}`));
  spent_ms += performance.now() - began;
  return partsOf(bytes, urls.length);
}

/** Ask for what a large chart will want as soon as it is there. It asks again, and tells what is wrong. */
export function askFrameAhead(url: string): void {
  askFrame(url, new AbortController().signal, true).catch(() => undefined);
}

/** The same for small charts, after the large one. */
export function askFramesAhead(urls: readonly string[]): void {
  const soon = AbortSignal.timeout(AHEAD_MS);
  const asked = new Set(waiting.map(({ url }) => url));
  for (const url of urls) if (!asked.has(url)) askFrame(url, soon).catch(() => undefined);
}
