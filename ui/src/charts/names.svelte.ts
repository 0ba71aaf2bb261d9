/** What runs are called, asked for by and by: frames carry ids alone. */
import { askRuns } from '../api/client';
import { short } from '../data/picture';

const AT_ONCE = 200;

class RunNames {
  /** by the whole id */
  known = $state.raw<ReadonlyMap<string, string>>(new Map());
  private readonly wanted = new Map<string, Set<string>>();
  private readonly asked = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Tell names that are known anyway, as from a table. */
  tell(names: Iterable<readonly [id: string, name: string]>): void {
    const fresh = [...names].filter(([id, name]) => this.known.get(id) !== name);
    if (fresh.length > 0) this.known = new Map([...this.known, ...fresh]);
  }

  want(store: string, ids: readonly string[]): void {
    const fresh = ids.filter((id) => id !== '' && !this.known.has(id) && !this.asked.has(id));
    if (fresh.length === 0) return;
    const of = this.wanted.get(store) ?? new Set();
    for (const id of fresh) {
      this.asked.add(id);
      of.add(id);
    }
    this.wanted.set(store, of);
    this.timer ??= setTimeout(() => void this.ask(), 20);
  }

  private async ask(): Promise<void> {
    this.timer = undefined;
    for (const [store, ids] of [...this.wanted]) {
      this.wanted.delete(store);
      const list = [...ids];
      for (let at = 0; at < list.length; at += AT_ONCE) await this.askSome(store, list.slice(at, at + AT_ONCE));
    }
  }

  private async askSome(store: string, ids: readonly string[]): Promise<void> {
    try {
      const { ids: found, columns } = await askRuns(store, { runs: ids.map(short).join(','), column: ['name'], limit: ids.length });
      this.tell(found.map((id, i) => [id, String(columns['name']?.[i] ?? '') || short(id)] as const));
    } catch {
      for (const id of ids) this.asked.delete(id); // the id stands for the name; the next chart asks again
    }
  }
}

export const runNames = new RunNames();
