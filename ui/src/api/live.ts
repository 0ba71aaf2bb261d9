/**
 * One event stream for the whole page, shared by all who listen.
 *
 * It tells what has changed since the first answer that the page got. The browser resumes it by `Last-Event-ID` when the
 * line breaks, and we from the last event when other things are wanted. Where the server closes it for good (it was
 * stopped, or has too many), we come back ourselves, ever more slowly, and ask for everything anew.
 */
import { address, firstTurn } from './client';
import { contact } from './contact.svelte';
import { decode } from './decoding';
import type { LiveRun } from './types';

export interface Hears {
  /** metrics whose values come with the runs */
  metrics?: string[];
  /** a run whose output is followed */
  output?: string;
  onruns?: (runs: LiveRun[], version: string) => void;
  onoutput?: (grown: { id: string; size: number }) => void;
  /** something may have been missed: ask anew */
  onreset?: () => void;
}

const BACK_OFF_MS = [500, 1000, 2000, 5000, 10_000];

class Stream {
  private listeners = new Set<Hears>();
  private source: EventSource | null = null;
  private asked = '';
  private tries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private opened = false;
  /** the id of the last event */
  private last: string | null = null;
  /** what the stream was asked from: where that is told, the server says itself if too much is missing */
  private since: string | null = null;

  constructor(private readonly store: string) {}

  add(hears: Hears): () => void {
    this.listeners.add(hears);
    this.settle();
    return () => {
      this.listeners.delete(hears);
      this.settle();
    };
  }

  /** Open what is asked for by now, once for all that changed in this moment. */
  private settle(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), 30);
  }

  private open(again = false): void {
    if (this.listeners.size === 0) return this.close();
    const all = [...this.listeners];
    const metric = [...new Set(all.flatMap((each) => each.metrics ?? []))].sort();
    const output = all.find((each) => each.output)?.output ?? null;
    const asked = address(this.store, 'live', { metric, output });
    if (asked === this.asked && this.source && !again) return;
    this.close();
    this.asked = asked;
    const since = (this.since = this.last ?? firstTurn(this.store));
    const source = (this.source = new EventSource(address(this.store, 'live', { metric, output, since })));
    source.onopen = () => this.heard();
    source.onerror = () => this.failed(source);
    source.addEventListener('runs', (event) => {
      const { runs, version } = this.read<{ runs: LiveRun[]; version: string }>(event);
      for (const each of this.listeners) each.onruns?.(runs, version);
    });
    source.addEventListener('output', (event) => {
      const grown = this.read<{ id: string; size: number }>(event);
      for (const each of this.listeners) if (each.output && grown.id.startsWith(each.output)) each.onoutput?.(grown);
    });
    source.addEventListener('reset', (event) => {
      this.read(event);
      this.reset();
    });
  }

  private read<T>(event: MessageEvent<string>): T {
    contact.hear();
    if (event.lastEventId !== '') this.last = event.lastEventId;
    return decode<T>(event.data);
  }

  private heard(): void {
    const wasLost = contact.lostAt !== null;
    contact.hear();
    if ((this.tries > 0 || (this.opened && wasLost)) && this.since === null) this.reset();
    this.tries = 0;
    this.opened = true;
  }

  private reset(): void {
    for (const each of this.listeners) each.onreset?.();
  }

  private failed(source: EventSource): void {
    contact.lose();
    if (source.readyState !== EventSource.CLOSED || source !== this.source) return; // the browser comes back by itself
    const wait = BACK_OFF_MS[Math.min(this.tries++, BACK_OFF_MS.length - 1)];
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(true), wait);
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    this.asked = '';
  }
}

const streams = new Map<string, Stream>();

/** Listen to a store; gives what ends it. */
export function listen(store: string, hears: Hears): () => void {
  let stream = streams.get(store);
  if (!stream) streams.set(store, (stream = new Stream(store)));
  return stream.add(hears);
}
