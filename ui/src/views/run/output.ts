/** A window onto a run's output, which may be larger than memory: whole lines around a place, growing at both ends. Pure. */
import { type Line, PLAIN, type Style, spansOf } from './ansi';

/** Bytes of the output, as the server gives them. */
export interface Chunk {
  from: number;
  to: number;
  size: number;
  cut_bytes: number;
  text: string;
  ended: boolean;
}

export interface OutputLine {
  /** The byte where it begins. */
  at: number;
  raw: string;
  spans: Line;
}

export interface OutputWindow {
  from: number;
  to: number;
  size: number;
  cut_bytes: number;
  ended: boolean;
  lines: OutputLine[];
  /** How the next line begins. */
  style: Style;
}

export const LINES_MAX = 60_000;
export const EMPTY: OutputWindow = Object.freeze({ from: 0, to: 0, size: 0, cut_bytes: 0, ended: false, lines: [], style: PLAIN });

const encoder = new TextEncoder();

/** Begin with one chunk. */
export function opened(chunk: Chunk): OutputWindow {
  const { lines, style } = linesOf(chunk.text, chunk.from, PLAIN);
  return { ...meta(chunk), from: chunk.from, to: chunk.to, lines, style };
}

/** Add what follows. A chunk that does not join on, as after the run was rewritten, begins anew. Beyond the bound the first lines go. */
export function appended(window: OutputWindow, chunk: Chunk): OutputWindow {
  if (chunk.from !== window.to) return opened(chunk);
  if (chunk.text === '') return { ...window, ...meta(chunk) };
  const last = window.lines[window.lines.length - 1];
  const open = last && !last.raw.endsWith('\n') ? last : null; // a line that was not whole yet goes on
  const kept = open ? window.lines.slice(0, -1) : window.lines;
  const added = linesOf((open?.raw ?? '') + chunk.text, open?.at ?? chunk.from, window.style);
  const lines = [...kept, ...added.lines].slice(-LINES_MAX);
  return { ...meta(chunk), from: lines[0]?.at ?? chunk.from, to: chunk.to, lines, style: added.style };
}

/** Add what stands before. Beyond the bound the last lines go. */
export function prepended(window: OutputWindow, chunk: Chunk): OutputWindow {
  if (chunk.to !== window.from || chunk.text === '') return window;
  const before = linesOf(chunk.text, chunk.from, PLAIN).lines;
  const all = [...before, ...window.lines];
  const lines = all.slice(0, LINES_MAX);
  const to = lines.length < all.length ? all[LINES_MAX]!.at : window.to;
  return { ...window, from: chunk.from, to, lines };
}

/** Say which bytes to ask for before the window; null where the window begins at the first byte. */
export function earlier(window: OutputWindow, bytes: number): { from: number; bytes: number } | null {
  if (window.from <= 0) return null;
  const from = Math.max(0, window.from - bytes);
  return { from, bytes: window.from - from };
}

/** Leave out what stands before the first whole line of bytes that were asked for at any place; a line longer than all of them stays. */
export function wholeLines(chunk: Chunk): Chunk {
  const end = chunk.from === 0 ? -1 : chunk.text.indexOf('\n');
  if (end < 0 || end === chunk.text.length - 1) return chunk;
  const text = chunk.text.slice(end + 1);
  return { ...chunk, text, from: chunk.to - bytesOf(text) };
}

/** Give the place of the line that holds a byte; -1 where the window does not. */
export function lineAt(window: OutputWindow, at: number): number {
  if (at < window.from || at >= window.to) return -1;
  let low = 0;
  let high = window.lines.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (window.lines[middle]!.at <= at) low = middle;
    else high = middle - 1;
  }
  return window.lines.length > 0 ? low : -1;
}

function meta({ size, cut_bytes, ended }: Chunk): Pick<OutputWindow, 'size' | 'cut_bytes' | 'ended'> {
  return { size, cut_bytes, ended };
}

const LINE_CHARS = 4000;

function linesOf(text: string, from: number, begin: Style): { lines: OutputLine[]; style: Style } {
  const lines: OutputLine[] = [];
  let style = begin;
  let at = from;
  for (const raw of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const shown = raw.endsWith('\n') ? raw.slice(0, -1) : raw;
    const rendered = spansOf(cut(shown), style);
    lines.push({ at, raw, spans: rendered.spans });
    if (raw.endsWith('\n')) style = rendered.style;
    at += bytesOf(raw);
  }
  return { lines, style };
}

/** Bound what one line draws: a progress bar keeps its end, other text its beginning. */
function cut(line: string): string {
  const written = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (written.length <= LINE_CHARS) return written;
  const last = written.lastIndexOf('\r');
  const shown = last >= 0 ? written.slice(last + 1) : written;
  return shown.length <= LINE_CHARS ? shown : `${shown.slice(0, LINE_CHARS)} … ${shown.length - LINE_CHARS} more characters`;
}

function bytesOf(text: string): number {
  return /^[\u0000-\u007f]*$/.test(text) ? text.length : encoder.encode(text).length;
}
