/** What the charts beside the list show by themselves. Pure, and apart from the page, so that it can be asked for before the page is there. */
import type { Selected } from '../../api/client';
import type { Overview } from '../../api/types';
import { addressOf, wholeWish } from '../../charts/wishes';
import { sections } from '../../data/sections';
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

const SMALL_MAX = 6; // so many stand below the large one on most screens

function address(store: string, view: ViewState, metric: string, selection: Selected, group: readonly string[], runs: number | null, compact: boolean): string {
  return addressOf(store, wholeWish({ metric, selection, x: view.x, smooth: view.smooth, group, ticked: view.sel, compact, having: runs }));
}

/** The address that the large chart asks for its runs. */
export const largeChart = (store: string, view: ViewState, metric: string, selection: Selected, group: readonly string[], runs: number | null): string =>
  address(store, view, metric, selection, group, runs, false);

/** The addresses that the small charts ask which are seen first. `metrics`: all that there are charts of. */
export function smallCharts(store: string, view: ViewState, metrics: readonly string[], focus: string | null, selection: Selected, group: readonly string[], runs: number | null): string[] {
  const { pinned, sections: listed } = sections(metrics.filter((metric) => metric !== focus), view.find, view.pin);
  const seen = [...pinned, ...listed.flatMap((section) => section.metrics)].slice(0, SMALL_MAX);
  return seen.map((metric) => address(store, view, metric, selection, group, runs, true));
}

/** What the large chart asks, told by an overview with the first rows; null where there is nothing to draw, or they did not come along. */
export function firstLargeChart(store: string, view: ViewState, overview: Overview): string | null {
  const metric = focusOf(view.m, overview);
  const { folded, runs } = overview.table ?? {};
  const rows = folded ?? runs;
  if (!isPlain(view) || metric === null || !rows) return null;
  return largeChart(store, view, metric, {}, bandsOf(folded ? [] : null, rows.total), folded ? folded.runs : rows.total);
}
