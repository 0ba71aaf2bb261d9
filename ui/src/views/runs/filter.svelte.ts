/** What the server thinks of the filter in the address: shared by the page that asks and the box that is typed into. */
import type { Refused } from '../../api/errors';

class FilterState {
  refused = $state.raw<Refused | null>(null);
  /** asks for what the page would show of a filter; refused where the filter is wrong. Null: no page shows runs */
  ask: ((q: string, signal: AbortSignal) => Promise<void>) | null = null;
}

export const filterState = new FilterState();
