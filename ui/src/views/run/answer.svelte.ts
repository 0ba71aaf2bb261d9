/** What was asked of the server, as state: the last answer stays while a new one is awaited or cannot be had. */
import { isAborted, Refused, Unreachable } from '../../api/errors';

const AGAIN_MS = 2000;

export class Answer<T> {
  /** The last answer; null before the first. */
  value = $state.raw<T | null>(null);
  /** Why the last question was refused, in the server's words. */
  error = $state.raw<Refused | null>(null);
  /** Whether one is awaited. */
  asking = $state(false);
  private control: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Ask; a question before that is still open is dropped. Where the server does not answer, ask again until it does. */
  async ask(question: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.stop();
    const control = (this.control = new AbortController());
    this.asking = true;
    try {
      const value = await question(control.signal);
      if (control.signal.aborted) return;
      this.value = value;
      this.error = null;
    } catch (error) {
      if (isAborted(error) || control.signal.aborted) return;
      if (error instanceof Refused) this.error = error;
      else if (error instanceof Unreachable) this.timer = setTimeout(() => void this.ask(question), AGAIN_MS);
      else throw error;
    }
    this.asking = false;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.control?.abort();
    this.asking = false;
  }
}

/** Call at most once in so many ms, the last time for certain. */
export function throttled(call: () => void, wait_ms: number): { (): void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  const now = (): void => {
    timer = undefined;
    last = performance.now();
    call();
  };
  const soon = (): void => {
    timer ??= setTimeout(now, Math.max(0, wait_ms - (performance.now() - last)));
  };
  return Object.assign(soon, { stop: () => clearTimeout(timer) });
}
