/** What the large chart beside the list shows by itself. Pure, and apart from the page, so that it can be asked for before the page is there. */
import type { Selected } from '../../api/client';
import type { Overview } from '../../api/types';
import { addressOf, wholeWish } from '../../charts/wishes';
import { isPlain, type ViewState } from '../../state/url';
import { columnNoun } from './columns';

const BANDS_MAX = 8;

/** The metrics that there are charts of. */
export function drawableIn(overview: Overview | null): string[] {
  const found = [...(overview?.columns ?? []), ...(overview?.same ?? [])].map(({ key }) => columnNoun(key));
  return [...new Set(found.filter(({ family }) => family === 'metrics').map(({ name }) => name))];
}

/** The metric of the large chart: the chosen one, else the objective, else the first there is. */
export const focusOf = (chosen: string | null, overview: Overview | null): string | null => chosen ?? overview?.objective?.metric ?? drawableIn(overview)[0] ?? null;

/** What its bands are of: few groups are drawn as bands; many would be a smear. `by`: null where rows are runs. */
export const bandsOf = (by: readonly string[] | null, groups: number): readonly string[] => (by === null || groups > BANDS_MAX ? [] : by.length === 0 ? ['*'] : by);

/** The address that it asks for its runs. */
export function largeChartAddress(store: string, view: ViewState, metric: string, selection: Selected, group: readonly string[], runs: number | null): string {
  return addressOf(store, wholeWish({ metric, selection, x: view.x, smooth: view.smooth, group, ticked: view.sel, compact: false, having: runs }));
}

/** The same, told by an overview with the first rows; null where there is nothing to draw, or they did not come along. */
export function firstChartAddress(store: string, view: ViewState, overview: Overview): string | null {
  const metric = focusOf(view.m, overview);
  const { folded, runs } = overview.table ?? {};
  const rows = folded ?? runs;
  if (!isPlain(view) || metric === null || !rows) return null;
  return largeChartAddress(store, view, metric, {}, bandsOf(folded ? [] : null, rows.total), folded ? folded.runs : rows.total);
}
