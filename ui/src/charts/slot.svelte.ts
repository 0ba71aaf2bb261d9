/** A place for one frame that is asked for: what came last stays until the next has come. */
import { isAborted, Refused } from '../api/errors';
import type { Frame } from '../data/frames';
import { askFrame, rememberedFrame } from './frames_asked';

const AGAIN_MS = 3000;

export class Slot {
  frame = $state.raw<Frame | null>(null);
  /** the address that `frame` came from */
  from: string | null = null;
  busy = $state(false);
  wrong = $state<string | null>(null);
  private url: string | null = null;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly urgent: boolean) {}

  /** Want what this address gives; null: nothing. The same address again asks nothing. */
  want(url: string | null): void {
    if (url === this.url) return;
    this.url = url;
    this.stop();
    if (url === null) {
      this.frame = null;
      this.from = null;
      return;
    }
    const remembered = rememberedFrame(url);
    if (remembered) this.take(url, remembered);
    else void this.ask(url);
  }

  /** Ask the same again. */
  again(): void {
    if (this.url !== null && !this.busy) void this.ask(this.url); // what was remembered has been forgotten by now
  }

  private take(url: string, frame: Frame): void {
    this.from = url; // before the frame, which is what others watch
    this.frame = frame;
    this.wrong = null;
  }

  private async ask(url: string): Promise<void> {
    this.stop();
    const abort = (this.abort = new AbortController());
    this.busy = true;
    try {
      this.take(url, await askFrame(url, abort.signal, this.urgent));
    } catch (error) {
      if (abort.signal.aborted || isAborted(error)) return;
      const busy = error instanceof Refused && error.status === 503;
      this.wrong = busy ? 'The server is busy; asking again.' : error instanceof Error ? error.message : String(error);
      if (error instanceof Refused && !busy) return; // the same question would get the same answer
      this.timer = setTimeout(() => void this.ask(url), AGAIN_MS);
    } finally {
      if (this.abort === abort) this.busy = false;
    }
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.abort?.abort();
    this.abort = null;
    this.busy = false;
  }

  /** Let go of everything. */
  close(): void {
    this.url = null;
    this.stop();
    this.frame = null;
  }
}
