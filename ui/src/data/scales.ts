/** Axes: from values to pixels, and where the ticks stand. */
import { duration, number4 } from './format';

export type Span = readonly [low: number, high: number];

/** What an axis measures: a number, a length of time in seconds, a moment in ms since 1970. */
export type Unit = 'number' | 'duration' | 'time';

/** The map from values to pixels. `at` runs millions of times a second, so it is one closure over two constants. */
export function placed(span: Span, from: number, to: number, log: boolean): (value: number) => number {
  const [low, high] = log ? [Math.log10(span[0]), Math.log10(span[1])] : span;
  const scale = (to - from) / (high - low || 1);
  const offset = from - low * scale;
  return log ? (value) => Math.log10(value) * scale + offset : (value) => value * scale + offset;
}

/** Back from a pixel to its value. */
export function valueAt(pixel: number, span: Span, from: number, to: number, log: boolean): number {
  const part = (pixel - from) / (to - from || 1);
  if (!log) return span[0] + part * (span[1] - span[0]);
  return 10 ** (Math.log10(span[0]) + part * (Math.log10(span[1]) - Math.log10(span[0])));
}

/** Move and stretch a span about a value: `factor` below 1 goes nearer. */
export function zoomed(span: Span, about: number, factor: number, log: boolean): Span {
  if (log) {
    const [low, high] = zoomed([Math.log10(span[0]), Math.log10(span[1])], Math.log10(about), factor, false);
    return [10 ** low, 10 ** high];
  }
  return [about - (about - span[0]) * factor, about + (span[1] - about) * factor];
}

/** Shift a span by a share of its own length. */
export function shifted(span: Span, share: number, log: boolean): Span {
  if (log) {
    const [low, high] = shifted([Math.log10(span[0]), Math.log10(span[1])], share, false);
    return [10 ** low, 10 ** high];
  }
  const by = (span[1] - span[0]) * share;
  return [span[0] + by, span[1] + by];
}

/** Round a window to what a pixel tells apart, so that it is short in the address; on a log axis each end by itself. */
export function rounded([low, high]: Span, log: boolean): [number, number] {
  const round = (value: number): number => {
    const fine = Math.min(high - low, log ? Math.abs(value) : Number.POSITIVE_INFINITY);
    const decimals = 4 - Math.floor(Math.log10(fine));
    if (!Number.isFinite(decimals) || decimals > 100) return value;
    return decimals >= 0 ? Number(value.toFixed(decimals)) : Math.round(value / 10 ** -decimals) * 10 ** -decimals;
  };
  return [round(low), round(high)];
}

/** Give a span of no length a length, and a little air; on a log axis by factors. */
export function aired(span: Span, air: number, log: boolean): Span {
  const [low, high] = span;
  if (!(low <= high)) return log ? [0.1, 10] : [0, 1];
  if (low === high) return log ? [low / 2, low * 2] : [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)];
  if (log) {
    const by = (high / low) ** air;
    return [low / by, high * by];
  }
  const by = Math.min((high - low) * air, Number.MAX_VALUE / 4);
  return [low - by, high + by];
}

const STEPS: Record<Unit, readonly number[] | null> = {
  number: null,
  duration: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800],
  time: [1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5],
};

function niceStep(rough: number, unit: Unit): number {
  const listed = STEPS[unit]?.find((step) => step >= rough);
  if (listed !== undefined && rough >= (STEPS[unit]?.[0] ?? 0) / 2) return listed;
  const power = 10 ** Math.floor(Math.log10(rough));
  const digit = rough / power;
  return (digit <= 1.0001 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power;
}

/** Where ticks stand on a linear axis: at most `most` of them, at round values. */
export function ticks(span: Span, most: number, unit: Unit = 'number'): number[] {
  const length = span[1] - span[0];
  if (!(length > 0) || !Number.isFinite(length)) return [];
  const step = niceStep(length / Math.max(1, most), unit);
  // whole days begin at midnight where the reader is
  const zone = unit === 'time' && step >= 3_600_000 ? new Date(span[0]).getTimezoneOffset() * 60_000 : 0;
  const found: number[] = [];
  for (let k = Math.ceil((span[0] - zone) / step - 1e-9); k * step + zone <= span[1] + step * 1e-9; k++) {
    found.push(k === 0 ? 0 : Number((k * step + zone).toPrecision(15)));
    if (found.length > 1000) break;
  }
  return found;
}

/** Where ticks stand on a log axis: powers of ten, with 2 and 5 between where there are few; else as on a linear one. */
export function logTicks(span: Span, most: number): number[] {
  const [low, high] = [Math.log10(span[0]), Math.log10(span[1])];
  const decades = high - low;
  if (!(decades > 0) || !Number.isFinite(decades)) return [];
  if (decades < 0.7) return ticks(span, most).filter((value) => value > 0);
  const digits = decades * 3 <= most ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / most));
  const found: number[] = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    if (power % every !== 0) continue;
    for (const digit of digits) {
      const value = Number(`${digit}e${power}`);
      if (value >= span[0] * 0.999999 && value <= span[1] * 1.000001) found.push(value);
    }
  }
  return found;
}

const NICE_THOUSANDS: readonly (readonly [number, string])[] = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Words for the ticks of one axis, all with as many decimals as the finest asks for. */
export function tickWords(values: readonly number[], unit: Unit = 'number', log = false): string[] {
  if (unit === 'time') return timeWords(values);
  if (unit === 'duration') return values.map((value) => (value === 0 ? '0' : duration(value).replace(/ 00 [smh]$/, '')));
  if (log || values.length < 2) return values.map(number4);
  const step = Math.abs((values[1] as number) - (values[0] as number));
  const largest = Math.max(...values.map(Math.abs));
  if (largest >= 1e12 || (largest < 1e-3 && largest > 0)) {
    const digits = Math.max(0, Math.floor(Math.log10(largest) + 1e-9) - Math.floor(Math.log10(step) + 1e-9));
    return values.map((value) => (value === 0 ? '0' : value.toExponential(Math.min(digits, 8)).replace('e+', 'e').replaceAll('-', '−')));
  }
  const [unitSize, unitName] = NICE_THOUSANDS.find(([size]) => largest >= size * 10 && step >= size / 1000) ?? [1, ''];
  const decimals = Math.max(0, Math.min(12, -Math.floor(Math.log10(step / unitSize) + 1e-9)));
  return values.map((value) => (value === 0 ? '0' : `${(value / unitSize).toFixed(decimals)}${unitName}`.replace('-', '−')));
}

function timeWords(values: readonly number[]): string[] {
  const step = values.length < 2 ? 1000 : (values[1] as number) - (values[0] as number);
  let day = '';
  return values.map((value) => {
    const at = new Date(value);
    const two = (n: number): string => String(n).padStart(2, '0');
    const today = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const clock = `${two(at.getHours())}:${two(at.getMinutes())}${step < 60_000 ? `:${two(at.getSeconds())}` : ''}`;
    if (step >= 86_400_000) return today;
    const words = today === day || (day === '' && values.length > 1 && step < 3_600_000) ? clock : `${today} ${clock}`;
    day = today;
    return words;
  });
}

/** The index of the value nearest to `x` in rising values; -1 where there is none. NaN is not expected among them. */
export function nearest(xs: ArrayLike<number>, x: number): number {
  let low = 0;
  let high = xs.length - 1;
  if (high < 0) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) <= x) low = middle;
    else high = middle;
  }
  return Math.abs((xs[low] as number) - x) <= Math.abs((xs[high] as number) - x) ? low : high;
}

/** The first index whose value is not below `x`. */
export function firstFrom(xs: ArrayLike<number>, x: number): number {
  let low = 0;
  let high = xs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
