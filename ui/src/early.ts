/** The first questions of the page that is being opened, asked before the app is there to draw their answers. */
import { askAhead, overviewAddress } from './api/client';
import type { Overview } from './api/types';
import { askFrameAhead } from './charts/frames_asked';
import { isPlain, parse, selectedIn } from './state/url';
import { firstLargeChart } from './views/runs/first_charts';

async function askFirst(): Promise<void> {
  const opened = parse(location.pathname, location.search);
  const { store } = opened;
  if (store === null || opened.page !== 'runs') return;
  const overview = await askAhead<Overview>(overviewAddress(store, selectedIn(opened), isPlain(opened)));
  const chart = firstLargeChart(store, opened, overview);
  if (chart !== null) askFrameAhead(chart);
}

/** Ends when the first rows are there, or will not come: who asks for them meets the reason. */
export const early = askFirst().catch(() => undefined);
