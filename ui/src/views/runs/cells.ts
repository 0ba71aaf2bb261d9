/** What stands in a cell: short and aligned for reading, whole for hovering and copying. */
import type { Value } from '../../api/types';
import { age, duration, fullNumber, number4 } from '../../data/format';

/** How the numbers of one column are written: all with the same decimals, over a power of ten that the header names. */
export interface Scale {
  exponent: number;
  decimals: number | null;
}

const AS_THEY_ARE: Scale = { exponent: 0, decimals: null };
const SPAN_MAX = 100; // beyond it equal decimals would eat the digits of the small ones

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

/** Choose how a column is written from the values seen first. */
export function scaleOf(values: readonly unknown[]): Scale {
  const sizes: number[] = [];
  let whole = true;
  for (const value of values) {
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    whole &&= Number.isInteger(value);
    if (value !== 0) sizes.push(Math.abs(value));
  }
  if (sizes.length === 0) return AS_THEY_ARE;
  const high = Math.max(...sizes);
  const low = Math.min(...sizes);
  if (whole && high < 1e6) return { exponent: 0, decimals: 0 };
  if (high / low > SPAN_MAX) return AS_THEY_ARE;
  const decade = Math.floor(Math.log10(high) + 1e-12);
  const exponent = decade >= 5 || decade <= -4 ? Math.floor(decade / 3) * 3 : 0;
  return { exponent, decimals: Math.max(0, Math.min(6, 3 - (decade - exponent))) };
}

/** Write a number in its column; one that does not fit there stands as it would alone. */
export function numberIn(value: number | bigint, scale: Scale): string {
  if (scale.decimals === null || typeof value === 'bigint' || !Number.isFinite(value)) return number4(value);
  const scaled = value / 10 ** scale.exponent;
  const text = scaled.toFixed(scale.decimals);
  const digits = text.replace(/^-?[0.]*/, '').replace('.', '').length;
  if (value !== 0 && (digits < 2 || digits > 7) && scale.decimals > 0) return number4(value);
  return text.replace('-', '−');
}

const HIGH: Record<string, string> = { '-': '⁻', '0': '⁰', '1': '¹', '2': '²', '3': '³', '4': '⁴', '5': '⁵', '6': '⁶', '7': '⁷', '8': '⁸', '9': '⁹' };

export const powerOfTen = (exponent: number): string =>
  exponent === 0 ? '' : `×10${[...String(exponent)].map((sign) => HIGH[sign] ?? '').join('')}`;

/** Write a value that is no number of a column of numbers. */
export function plain(value: Value | undefined): string {
  if (value === null || value === undefined) return '';
  if (isNumber(value)) return number4(value);
  if (typeof value === 'string') return value.replace(/\s+/g, ' ');
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}

/** Write a value whole, so that it can be read back. */
export function whole(value: Value | undefined): string {
  if (isNumber(value)) return fullNumber(value);
  return typeof value === 'string' ? value : plain(value);
}

/** Write the cell of a column. */
export function cellText(key: string, value: Value | undefined, scale: Scale, now_ms: number): string {
  if (value === null || value === undefined) return '';
  if (key === 'created' || key === 'ended') return typeof value === 'number' ? age(value, now_ms) : '';
  if (key === 'duration_s') return typeof value === 'number' ? duration(value) : '';
  if (key === 'tags' && typeof value === 'object' && !Array.isArray(value)) return tagWords(value).join(', ');
  return isNumber(value) ? numberIn(value, scale) : plain(value);
}

/** Tags as words: `baseline`, `team=ml`. */
export function tagWords(tags: { [key: string]: Value }): string[] {
  return Object.entries(tags).map(([key, value]) => (value === true || value === null || value === '' ? key : `${key}=${plain(value)}`));
}

/** One field of a CSV; RFC 4180. A text that a spreadsheet would calculate is kept a text. */
export function csvField(value: Value | undefined): string {
  if (value === null || value === undefined) return '';
  let text = whole(value);
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvOf = (header: readonly string[], rows: readonly (readonly (Value | undefined)[])[]): string =>
  `${[header, ...rows].map((row) => row.map(csvField).join(',')).join('\r\n')}\r\n`;
