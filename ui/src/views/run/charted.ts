/** Which metric a page draws large. Pure. */
import type { RunFacts } from './facts';

const RANK = [/(^|\/)(val|valid|validation|eval|test)([/_]|$)/i, /loss|acc|reward|return|score/i];

/** Choose the metric drawn large: the one asked for, else the store's objective, else what has a goal (validation before training), else the first. */
export function focusOf(facts: Pick<RunFacts, 'metrics' | 'goals'>, asked: string | null, objective: string | null): string | null {
  const names = Object.keys(facts.metrics);
  if (asked !== null && names.includes(asked)) return asked;
  if (objective !== null && names.includes(objective)) return objective;
  const goals = new Set(Object.keys(facts.goals));
  const own = names.filter((name) => !name.startsWith('system/'));
  const score = (name: string): number => (goals.has(name) ? 4 : 0) + (RANK[0]!.test(name) ? 2 : 0) + (RANK[1]!.test(name) ? 1 : 0);
  const best = Math.max(...own.map(score));
  return own.find((name) => score(name) === best) ?? names[0] ?? null;
}
