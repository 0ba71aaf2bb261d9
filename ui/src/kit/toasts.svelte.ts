/** Short words about what was done, with a way back. */
export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action: { label: string; run: () => void } | null;
}

const STAYS_MS = 8000;

class Toasts {
  shown = $state<Toast[]>([]);
  private next = 1;
  private timers = new Map<number, ReturnType<typeof setTimeout>>();

  say(text: string, action: Toast['action'] = null, bad = false): void {
    const id = this.next++;
    this.shown = [...this.shown.slice(-2), { id, text, bad, action }];
    this.let(id);
  }

  fail(text: string): void {
    this.say(text, null, true);
  }

  /** Start its time again, as when the pointer leaves it. */
  let(id: number): void {
    this.hold(id);
    this.timers.set(id, setTimeout(() => this.drop(id), STAYS_MS));
  }

  hold(id: number): void {
    clearTimeout(this.timers.get(id));
  }

  drop(id: number): void {
    this.hold(id);
    this.timers.delete(id);
    this.shown = this.shown.filter((each) => each.id !== id);
  }
}

export const toasts = new Toasts();
