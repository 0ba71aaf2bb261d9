/** What charts of one page share while the pointer moves: the cursor, and the window being zoomed or panned. */
import type { Span } from '../data/scales';

export interface Linked {
  /** the cursor is at this x, or has left */
  cursor?: (x: number | null, from: unknown) => void;
  /** the window on x while it moves; null: as it was before */
  window?: (span: Span | null, from: unknown) => void;
}

export class Link {
  private readonly charts = new Set<Linked>();
  private pending = 0;
  private at: number | null = null;
  private by: unknown = null;

  join(chart: Linked): () => void {
    this.charts.add(chart);
    return () => this.charts.delete(chart);
  }

  /** Tell all where the cursor is, once a frame. */
  cursor(x: number | null, from: unknown): void {
    this.at = x;
    this.by = from;
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      for (const each of this.charts) each.cursor?.(this.at, this.by);
    });
  }

  window(span: Span | null, from: unknown): void {
    for (const each of this.charts) each.window?.(span, from);
  }
}
