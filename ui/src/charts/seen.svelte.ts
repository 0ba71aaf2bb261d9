/** Which charts are on the screen, or nearly: only they exist. They come one or two a frame, so that scrolling stays smooth. */
import { SvelteSet } from 'svelte/reactivity';

const NEAR = '150px 0px';
const SLOW_MS = 14;

export class Seen {
  readonly there = new SvelteSet<string>();
  private readonly wanted = new Set<string>();
  private readonly names = new WeakMap<Element, string>();
  private observer: IntersectionObserver | null = null;
  private frame = 0;
  private last_ms = 0;

  /** Watch an element that stands for `name`; a Svelte action. */
  watch = (node: HTMLElement, name: string): { update: (name: string) => void; destroy: () => void } => {
    this.observer ??= new IntersectionObserver((entries) => this.told(entries), { rootMargin: NEAR });
    this.names.set(node, name);
    this.observer.observe(node);
    const leave = (): void => {
      const now = this.names.get(node);
      if (now !== undefined) {
        this.wanted.delete(now);
        this.there.delete(now);
      }
    };
    return {
      update: (next) => {
        leave();
        this.names.set(node, next);
        this.observer?.unobserve(node);
        this.observer?.observe(node);
      },
      destroy: () => {
        this.observer?.unobserve(node);
        leave();
      },
    };
  };

  private told(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const name = this.names.get(target);
      if (name === undefined) continue;
      if (isIntersecting) this.wanted.add(name);
      else {
        this.wanted.delete(name);
        this.there.delete(name);
      }
    }
    this.settle();
  }

  private settle(): void {
    this.frame ||= requestAnimationFrame((now) => {
      this.frame = 0;
      const waiting = [...this.wanted].filter((name) => !this.there.has(name));
      const slow = now - this.last_ms > SLOW_MS + 10 && this.last_ms > 0;
      this.last_ms = now;
      for (const name of waiting.slice(0, slow ? 1 : 2)) this.there.add(name);
      if (waiting.length > 2 || (slow && waiting.length > 1)) this.settle();
      else this.last_ms = 0;
    });
  }

  close(): void {
    this.observer?.disconnect();
    cancelAnimationFrame(this.frame);
    this.there.clear();
  }
}
