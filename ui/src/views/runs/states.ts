/** A run's state as a shape and a word; the colour comes on top, and is red for failure alone. */
import type { Status } from '../../api/types';

export const STATES: Record<Status, { sign: string; word: string }> = {
  running: { sign: '●', word: 'running' },
  finished: { sign: '✓', word: 'finished' },
  failed: { sign: '✗', word: 'failed' },
  lost: { sign: '◌', word: 'lost: not heard of since' },
  killed: { sign: '■', word: 'killed' },
};

/** How many of each state, where not all are finished: `2 running, 1 failed`. */
export function stateWords(statuses: Partial<Record<Status, number>>): string {
  return (['running', 'failed', 'lost', 'killed'] as const)
    .filter((status) => statuses[status])
    .map((status) => `${statuses[status]} ${status}`)
    .join(', ');
}
