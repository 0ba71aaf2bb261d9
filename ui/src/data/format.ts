/** Numbers, ages and sizes as words. */

const SPACE = ' '; // narrow, not breaking

function trimmed(text: string): string {
  const [digits = '', exponent] = text.split('e');
  const short = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  if (exponent === undefined) return short;
  return `${short}e${exponent.replace('+', '')}`;
}

const minus = (text: string): string => text.replace(/^-/, '−').replace('e-', 'e−');

function odd(value: number): string | null {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '∞';
  if (value === -Infinity) return '−∞';
  return null;
}

/** Write a number with 4 significant digits: 0.9831, 12345, 3.1e−5. Integers below a million stay whole. */
export function number4(value: number | bigint): string {
  if (typeof value === 'bigint') return minus(trimmed(Number(value).toExponential(3)));
  const word = odd(value);
  if (word !== null) return word;
  const size = Math.abs(value);
  if (size === 0) return Object.is(value, -0) ? '−0' : '0';
  if (size >= 1e6 || size < 9.9995e-4) return minus(trimmed(value.toExponential(3)));
  if (size >= 1000) return minus(Math.abs(value) >= 999_999.5 ? trimmed(value.toExponential(3)) : String(Math.round(value)));
  return minus(trimmed(value.toPrecision(4)));
}

/** Write a number so that reading it gives the same one again; with a plain minus, as it is for copying. */
export function fullNumber(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Write how many, with thin spaces between thousands: 12 345. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, SPACE);
}

/** Write a number and its noun: 1 run, 500 runs. */
export const many = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** Write how long ago: now, 40 s, 3 m, 5 h, 2 d, then the date. */
export function age(time_ms: number, now_ms: number = Date.now()): string {
  const seconds = Math.max(0, (now_ms - time_ms) / 1000);
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  if (seconds < 30 * 86_400) return `${Math.floor(seconds / 86_400)} d`;
  return new Date(time_ms).toISOString().slice(0, 10);
}

/** Write a length of time by its two largest units: 0.4 s, 12 s, 2 m 11 s, 3 h 05 m, 4 d 02 h. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return odd(seconds) ?? '';
  const sign = seconds < 0 ? '−' : '';
  const size = Math.abs(seconds);
  if (size < 0.0995) return `${sign}${trimmed((size * 1000).toPrecision(2))} ms`;
  if (size < 9.95) return `${sign}${trimmed(size.toFixed(1))} s`;
  const whole = Math.round(size);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${sign}${whole} s`;
  if (whole < 3600) return `${sign}${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86_400) return `${sign}${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${sign}${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}

/** Write a size: 512 B, 2.1 kB, 34 MB (thousands, not 1024s). */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = size / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 9.95 ? trimmed(value.toFixed(1)) : Math.round(value)} ${units[unit]}`;
}
