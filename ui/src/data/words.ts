/** What a chart says about itself: everything that stands between the numbers logged and the picture. */
import { count, many, number4 } from './format';
import type { LeftOfZero } from './extent';
import type { Frame } from './frames';
import type { Span } from './scales';

/** What can be taken back by a click on its word, and what is offered there. */
export type Undo = 'thinned' | 'cap' | 'smooth' | 'logX' | 'logY' | 'cut' | 'zoom' | 'hidden' | 'solo' | 'toLog' | 'toCut';

export interface Word {
  text: string;
  /** what a click takes back or does; null: a plain fact */
  undo: Undo | null;
  why: string;
}

export interface Drawn {
  smooth: number;
  /** each average is of all points; else of one value in each bucket */
  exactSmooth: boolean;
  logX: boolean;
  logY: boolean;
  /** what a log x axis cannot show */
  left?: LeftOfZero | null;
  /** points that a log y axis cannot show */
  below: number;
  cut: boolean;
  zoom: Span | null;
  hidden: number;
  solo: boolean;
  /** curves are drawn, not only bands */
  curves: boolean;
  grouped: number;
  /** some curves are grey */
  grey: boolean;
  /** a few values lie so far out that the others fill but a little of the chart; log: a log axis could show all */
  far?: { log: boolean } | null;
}

/** As many of the words as a small chart has room for: all that can be taken back, without its details, then how many runs. */
export function brief(said: readonly Word[]): Word[] {
  const done = said.filter(({ undo }) => undo !== null && undo !== 'toLog' && undo !== 'toCut');
  return [...done.map((word) => ({ ...word, text: word.text.replace(/[,:] .*| to .*/, '') })), ...said.slice(0, 1)];
}

function points([fewest, most]: readonly [number, number]): string {
  if (most === 0) return 'no points';
  return fewest === most ? `${many(most, 'point')} each` : `${count(fewest)}–${many(most, 'point')} each`;
}

function leftOut(x: string, left: LeftOfZero | null | undefined): string {
  if (!left) return '';
  if (left.points === null) return ', x ≤ 0 left out';
  return x === 'step' && left.onlyZero ? ', step 0 left out' : `, ${many(left.points, 'point')} at x ≤ 0 left out`;
}

const fact = (text: string, why = ''): Word => ({ text, undo: null, why });

/** Say what is drawn, the metric's name apart: "500 runs · 100 points each · raw". */
export function words(frame: Frame, drawn: Drawn): Word[] {
  const said: Word[] = [fact(frame.with < frame.runs ? `${count(frame.with)} of ${many(frame.runs, 'run')} have it` : many(frame.with, 'run'))];
  if (frame.with === 0) return said;
  said.push(frame.growing ? fact(`${points(frame.points)}, growing`, 'Drawn with the latest points; those between come when the chart is read again') : fact(points(frame.points)));
  if (drawn.grouped > 0) said.push(fact(`${many(drawn.grouped, 'group')}: ${frame.bands[0]?.centreName ?? ''} and ${frame.bands[0]?.bandName ?? ''}`));
  else if (!drawn.curves) said.push(fact(frame.bands[0] ? `${frame.bands[0].centreName} and ${frame.bands[0].bandName}` : 'no curves'));
  else if (frame.drawn < frame.with && !drawn.grey) said.push(fact(`${count(frame.curves.length)} ticked over ${frame.bands[0]?.centreName ?? ''} and ${frame.bands[0]?.bandName ?? ''}`));
  else if (frame.drawn < frame.with) {
    said.push({ text: `${count(frame.drawn)} drawn, the newest`, undo: 'cap', why: 'Draw all of them; bands are over all in any case' });
  }
  const before = said.length;
  if (frame.thinned && drawn.curves) {
    said.push({ text: `thinned to ${count(frame.buckets)} buckets, min–max kept`, undo: 'thinned', why: 'Draw every point' });
  }
  if (drawn.smooth > 0) {
    const text = `smoothed ${number4(drawn.smooth)}${drawn.exactSmooth ? '' : ', about'}${drawn.grey ? ', grey as logged' : ''}`;
    said.push({ text, undo: 'smooth', why: 'Draw without smoothing' });
  }
  if (drawn.logX) said.push({ text: `log x${leftOut(frame.x, drawn.left)}`, undo: 'logX', why: 'Draw x on a linear axis' });
  if (drawn.logY) {
    const lost = drawn.below > 0 ? `, ${many(drawn.below, 'point')} ≤ 0 left out` : '';
    said.push({ text: `log y${lost}`, undo: 'logY', why: 'Draw y on a linear axis' });
  }
  if (drawn.cut) said.push({ text: 'outliers cut: 1–99 % of the values', undo: 'cut', why: 'Show the whole range' });
  if (drawn.hidden > 0) said.push({ text: `${many(drawn.hidden, 'run')} hidden`, undo: 'hidden', why: 'Show them again' });
  if (drawn.solo) said.push({ text: 'one alone', undo: 'solo', why: 'Show the others again' });
  if (said.length === before) said.push(fact('raw', 'Nothing stands between the numbers logged and this picture'));
  if (drawn.far) {
    said.push(fact('few values far out:', 'All are drawn; 19 of 20 lie within a fifth of the height'));
    if (drawn.far.log) said.push({ text: 'log y?', undo: 'toLog', why: 'Draw y on a logarithmic axis' });
    said.push({ text: 'cut 1 %?', undo: 'toCut', why: 'Leave the outermost hundredth of the values out of the range' });
  }
  if (drawn.zoom) said.push({ text: 'zoomed', undo: 'zoom', why: 'Show the whole range (0)' });
  return said;
}
