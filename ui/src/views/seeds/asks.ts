/** What the seeds page asks of the server. */
import { address, ask } from '../../api/client';
import type { ViewState } from '../../state/url';
import type { Groups } from './groups';

export const askGroups = (store: string, view: ViewState, metric: string, signal?: AbortSignal): Promise<Groups> =>
  ask(address(store, 'groups', { q: view.q, metric, by: view.by ?? [], over: view.over, goal: view.goal, at: view.at }), signal);
