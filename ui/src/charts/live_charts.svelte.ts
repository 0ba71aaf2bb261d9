/** Keeps charts living: new points at once, everything else by asking again, seldom. */
import { listen } from '../api/live';
import { forgetFrames, takeSpent_ms } from './frames_asked';
import { tails } from './tails.svelte';

const RUNS_CHANGED_MS = 3000;
const BANDS_OLD_MS = 10_000;
const LATEST_MS = 60_000;
/** asking again takes no more than this share of the server's time */
const SHARE = 0.01;
const SETTLES_MS = 800;

export class LiveCharts {
  /** changes when charts should ask the server again */
  version = $state(0);
  private stop: (() => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private settling: ReturnType<typeof setTimeout> | undefined;
  private due_ms = Number.POSITIVE_INFINITY;
  private asked_ms = performance.now();
  private listening = '';
  /** after what the last round cost */
  private rests_ms = 0;

  /** Listen to a store for the values of these metrics; what is on the screen changes while one scrolls, so this waits a little. */
  follow(store: string, metrics: readonly string[]): void {
    const wanted = JSON.stringify([store, [...metrics].sort()]);
    if (wanted === this.listening) return;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.open(store, metrics, wanted), this.stop ? SETTLES_MS : 0);
  }

  private open(store: string, metrics: readonly string[], wanted: string): void {
    this.listening = wanted;
    const before = this.stop;
    this.stop = listen(store, {
      metrics: [...metrics],
      onruns: (runs) => {
        const points = runs.flatMap((run) => Object.entries(run.values ?? {}).map(([metric, point]) => [run.id, metric, point] as const));
        if (points.length > 0) tails.appendAll(points);
        if (runs.some((run) => run.new || run.gone)) this.soon(RUNS_CHANGED_MS);
        else if (points.length > 0) this.soon(BANDS_OLD_MS);
      },
      onreset: () => this.soon(0),
    });
    before?.();
  }

  /** Ask again when so much time has passed since the last time. */
  private soon(spacing_ms: number): void {
    const due = Math.max(performance.now() + 200, this.asked_ms + Math.max(spacing_ms, this.rests_ms));
    if (due >= this.due_ms) return;
    this.due_ms = due;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.due_ms = Number.POSITIVE_INFINITY;
      this.asked_ms = performance.now();
      if (document.hidden) return this.soon(BANDS_OLD_MS);
      forgetFrames();
      this.rests_ms = Math.min(LATEST_MS, takeSpent_ms() / SHARE);
      this.version++;
    }, due - performance.now());
  }

  close(): void {
    this.stop?.();
    this.stop = null;
    this.listening = '';
    clearTimeout(this.timer);
    clearTimeout(this.settling);
  }
}
