/** Which charts are on the screen, or nearly: only they exist. They come one a frame, so that scrolling stays smooth, and none before `begin`. */
import { SvelteSet } from 'svelte/reactivity';

const NEAR = '150px 0px';

export class Seen {
  readonly there = new SvelteSet<string>();
  private readonly wanted = new Set<string>();
  private readonly names = new WeakMap<Element, string>();
  private observer: IntersectionObserver | null = null;
  private frame = 0;
  private begun = false;

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

  begin(): void {
    if (this.begun) return;
    this.begun = true;
    this.settle();
  }

  private settle(): void {
    if (!this.begun) return;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const [first, ...rest] = [...this.wanted].filter((name) => !this.there.has(name));
      if (first !== undefined) this.there.add(first);
      if (rest.length > 0) this.settle();
    });
  }

  close(): void {
    this.observer?.disconnect();
    cancelAnimationFrame(this.frame);
    this.there.clear();
  }
}
