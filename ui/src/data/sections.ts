/** Which charts there are, in which order, under which headings. */

import { naturally } from './natural';

/** so few charts need no headings, and are listened to even before they are drawn */
export const FLAT_MAX = 12;

export interface Section {
  /** with its slash, `val/`; '' for names without one */
  prefix: string;
  metrics: string[];
}

/** Turn what is searched for into a test: parts in any case; `*` and `?` as in a shell, then for the whole name; `/…/` a pattern. */
export function matcher(find: string): (name: string) => boolean {
  const text = find.trim();
  if (text === '') return () => true;
  if (/^\/.+\/$/.test(text)) {
    try {
      const pattern = new RegExp(text.slice(1, -1), 'i');
      return (name) => pattern.test(name);
    } catch {
      return (name) => name.includes(text);
    }
  }
  const parts = text.toLowerCase().split(/\s+/);
  const tests = parts.map((part) => {
    if (!/[*?]/.test(part)) return (name: string): boolean => name.includes(part);
    const pattern = new RegExp(`^${part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*').replaceAll('?', '.')}$`);
    return (name: string): boolean => pattern.test(name);
  });
  return (name) => tests.every((test) => test(name.toLowerCase()));
}

/** what the machine did is looked at last */
const MACHINE = 'system/';

/** Fold metrics into sections by what stands before their first slash: those without one first, then by name, the machine's last. Pinned ones stand apart. */
export function sections(metrics: readonly string[], find: string, pinned: readonly string[]): { pinned: string[]; sections: Section[] } {
  const fits = matcher(find);
  const apart = new Set(pinned);
  const found = new Map<string, string[]>();
  for (const metric of metrics) {
    if (apart.has(metric) || !fits(metric)) continue;
    const slash = metric.indexOf('/');
    const prefix = slash > 0 ? metric.slice(0, slash + 1) : '';
    const list = found.get(prefix);
    if (list) list.push(metric);
    else found.set(prefix, [metric]);
  }
  const there = new Set(metrics);
  return {
    pinned: pinned.filter((metric) => there.has(metric) && fits(metric)),
    sections: [...found]
      .sort(([a], [b]) => Number(a === MACHINE) - Number(b === MACHINE) || naturally(a, b))
      .map(([prefix, list]) => ({ prefix, metrics: list.sort(naturally) })),
  };
}
