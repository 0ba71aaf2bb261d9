/** Columns of a table as places on an axis: numbers by their value, on a log scale where asked for, words by their order. */
import { number4 } from './format';
import { naturally } from './natural';
import { aired, logTicks, placed, ticks, tickWords, type Span } from './scales';
import { visible } from './visible';

export type Cell = number | bigint | string | boolean | null | undefined;

export interface AxisColumn {
  name: string;
  /** where each row stands, from 0 to 1; NaN where it has no place */
  at: Float64Array;
  ticks: { at: number; text: string }[];
  kind: 'number' | 'word';
  log: boolean;
  span: Span;
  /** rows without a place: missing, not finite, or not above 0 on a log axis */
  missing: number;
}

const WORDS_MAX = 40;

const asNumber = (value: Cell): number => (typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : Number.NaN);

/** Write a cell in few signs. */
export function cellText(value: Cell): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'number' || typeof value === 'bigint' ? number4(value) : visible(String(value));
}

/** Whether a column reads better on a log scale: all above 0, over more than two decades. */
export function asksForLog(values: readonly Cell[]): boolean {
  const numbers = values.map(asNumber).filter(Number.isFinite);
  return numbers.length > 1 && Math.min(...numbers) > 0 && Math.max(...numbers) / Math.min(...numbers) > 100;
}

/** Place a column. Numbers where any cell is one that is not a word; else the words in their order. */
export function axisOf(name: string, values: readonly Cell[], log: boolean, most = 5): AxisColumn {
  const isWords = values.some((value) => typeof value === 'string' || typeof value === 'boolean');
  return isWords ? wordAxis(name, values) : numberAxis(name, values, log, most);
}

function numberAxis(name: string, values: readonly Cell[], wantsLog: boolean, most: number): AxisColumn {
  const numbers = values.map(asNumber);
  const log = wantsLog && numbers.some((value) => value > 0 && Number.isFinite(value));
  const fine = numbers.filter((value) => Number.isFinite(value) && (!log || value > 0));
  const low = fine.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = fine.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const span = aired([low, high], 0, log);
  const place = placed(span, 0, 1, log);
  const at = Float64Array.from(numbers, (value) => (Number.isFinite(value) && (!log || value > 0) ? place(value) : Number.NaN));
  const marks = log ? logTicks(span, most) : ticks(span, most);
  const words = tickWords(marks, 'number', log);
  return { name, at, ticks: marks.map((mark, i) => ({ at: place(mark), text: words[i] ?? '' })), kind: 'number', log, span, missing: values.length - fine.length };
}

function wordAxis(name: string, values: readonly Cell[]): AxisColumn {
  const words = [...new Set(values.filter((value) => value !== null && value !== undefined).map(String))].sort(naturally);
  const place = new Map(words.map((word, i) => [word, words.length === 1 ? 0.5 : i / (words.length - 1)]));
  const at = Float64Array.from(values, (value) => (value === null || value === undefined ? Number.NaN : (place.get(String(value)) ?? Number.NaN)));
  const every = Math.ceil(words.length / WORDS_MAX);
  return {
    name,
    at,
    ticks: words.filter((_, i) => i % every === 0).map((word) => ({ at: place.get(word) ?? 0, text: visible(word) })),
    kind: 'word',
    log: false,
    span: [0, Math.max(1, words.length - 1)],
    missing: values.filter((value) => value === null || value === undefined).length,
  };
}

/** A colour between two by a place from 0 to 1: from pale blue over violet to dark orange, told apart by lightness too. */
export function shadeAt(place: number, dark: boolean): string {
  if (Number.isNaN(place)) return dark ? '#6f7984' : '#8b939d';
  const stops = dark ? STOPS_DARK : STOPS_LIGHT;
  const at = Math.min(0.999999, Math.max(0, place)) * (stops.length - 1);
  const [from, to] = [stops[Math.floor(at)] as number[], stops[Math.floor(at) + 1] as number[]];
  return `rgb(${from.map((value, i) => Math.round(value + ((to[i] as number) - value) * (at % 1))).join(' ')})`;
}

// Source: six steps of cividis (Nuñez, Anderton and Renslow, 2018), made for colour-blind eyes; its ends moved to stay readable on our paper.
const STOPS_LIGHT = [[0, 51, 111], [58, 80, 107], [105, 112, 112], [148, 141, 108], [184, 160, 70], [204, 154, 10]];
const STOPS_DARK = [[66, 110, 176], [104, 126, 156], [138, 142, 146], [176, 168, 132], [216, 194, 100], [253, 226, 70]];

/** The rows that lie within all brushes. */
export function brushed(axes: readonly AxisColumn[], brushes: ReadonlyMap<string, readonly [number, number]>): boolean[] {
  const rows = axes[0]?.at.length ?? 0;
  const inside = new Array<boolean>(rows).fill(true);
  for (const { name, at } of axes) {
    const brush = brushes.get(name);
    if (!brush) continue;
    for (let i = 0; i < rows; i++) if (!((at[i] as number) >= brush[0] - 1e-9 && (at[i] as number) <= brush[1] + 1e-9)) inside[i] = false;
  }
  return inside;
}
