/** What the seeds page asks of the server. */
import { address, ask } from '../../api/client';
import type { ViewState } from '../../state/url';
import type { Groups } from './groups';

/** Without a metric the groups are by the objective of the runs that fit the filter. */
export const askGroups = (store: string, view: ViewState, signal?: AbortSignal): Promise<Groups> =>
  ask(address(store, 'groups', { q: view.q, metric: view.metric, by: view.by ?? [], over: view.over, goal: view.goal, at: view.at }), signal);
