/** Terminal output as lines of coloured spans. Only colours and type styles are obeyed; all other escapes are dropped. */

import { pieces } from '../../data/visible';

export interface Style {
  /** 0–15 of the palette as a number, else a CSS colour; null for the text's own. */
  fg: Colour | null;
  bg: Colour | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
  strike: boolean;
}
export type Colour = number | string;

export interface Span extends Style {
  text: string;
  /** Stands for a character that is not shown as itself. */
  odd: boolean;
}
export type Line = Span[];

export const PLAIN: Style = Object.freeze({
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  strike: false,
});

const ESC = '\u001b';
// CSI … final byte; OSC, DCS, SOS, PM and APC up to their end; charset choice; a single letter; an escape cut off at the end.
const ESCAPE =
  /(?:\u001b\[|\u009b)([0-?]*)[ -/]*([@-~])|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|(?:\u001b\[|\u009b)[ -?]*$|\u001b[ -/]*(?:[0-~]|$)/g;
const TAB = 8;

/** Render one line as spans, beginning in `style`.
 *
 * A carriage return goes back to the line's beginning, and what follows overwrites: a progress bar shows as it ended.
 *
 * @returns the spans, and the style in which the next line begins.
 */
export function spansOf(line: string, style: Style = PLAIN): { spans: Line; style: Style } {
  if (!line.includes(ESC) && !line.includes('\u009b') && !line.includes('\r') && !line.includes('\t')) {
    return { spans: spans(line, style), style };
  }
  const parts: Span[][] = [[]];
  let now = style;
  let from = 0;
  const put = (text: string): void => {
    text.split('\r').forEach((part, place) => {
      if (place > 0) parts.push([]);
      if (part) parts[parts.length - 1]!.push({ ...now, text: part, odd: false });
    });
  };
  for (const found of line.matchAll(ESCAPE)) {
    put(line.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[2] === 'm') now = styled(now, found[1] ?? '');
  }
  put(line.slice(from));
  return { spans: untabbed(overwritten(parts)).flatMap((one) => spans(one.text, one)), style: now };
}

function spans(text: string, style: Style): Line {
  return text ? pieces(text).map((piece) => ({ ...style, ...piece })) : [];
}

/** Lay each part over what stands there: the longer rest of an earlier one stays to be seen, as on a terminal. */
function overwritten(parts: Span[][]): Span[] {
  const written = parts.filter((part) => part.length > 0);
  return written.reduce<Span[]>((under, over) => [...over, ...after(under, length(over))], []);
}

function length(part: Span[]): number {
  return part.reduce((sum, span) => sum + span.text.length, 0);
}

function after(part: Span[], count: number): Span[] {
  const rest: Span[] = [];
  let left = count;
  for (const span of part) {
    if (left < span.text.length) rest.push({ ...span, text: span.text.slice(left) });
    left = Math.max(0, left - span.text.length);
  }
  return rest;
}

function untabbed(part: Span[]): Span[] {
  let column = 0;
  return part.map((span) => {
    let text = '';
    for (const char of span.text) {
      const shown = char === '\t' ? ' '.repeat(TAB - (column % TAB)) : char;
      column += shown.length;
      text += shown;
    }
    return { ...span, text };
  });
}

function styled(style: Style, codes: string): Style {
  let now: Style = { ...style };
  const rest = codes.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
  while (rest.length > 0) {
    const code = rest.shift()!;
    if (code === 38 || code === 48) {
      const colour = extended(rest);
      if (colour !== null) now = code === 38 ? { ...now, fg: colour } : { ...now, bg: colour };
    } else {
      now = { ...now, ...simple(code) };
    }
  }
  return now;
}

function simple(code: number): Partial<Style> {
  if (code >= 30 && code <= 37) return { fg: code - 30 };
  if (code >= 40 && code <= 47) return { bg: code - 40 };
  if (code >= 90 && code <= 97) return { fg: code - 82 };
  if (code >= 100 && code <= 107) return { bg: code - 92 };
  return SIMPLE.get(code) ?? {};
}

const SIMPLE = new Map<number, Partial<Style>>([
  [0, PLAIN],
  [1, { bold: true }],
  [2, { dim: true }],
  [3, { italic: true }],
  [4, { underline: true }],
  [7, { inverse: true }],
  [9, { strike: true }],
  [21, { underline: true }],
  [22, { bold: false, dim: false }],
  [23, { italic: false }],
  [24, { underline: false }],
  [27, { inverse: false }],
  [29, { strike: false }],
  [39, { fg: null }],
  [49, { bg: null }],
]);

/** Take the colour after 38 or 48 from the codes; null where it makes no sense. */
function extended(codes: number[]): Colour | null {
  const kind = codes.shift();
  if (kind === 5) return indexed(codes.shift() ?? -1);
  if (kind !== 2) return null;
  const [red = -1, green = -1, blue = -1] = codes.splice(0, 3);
  return [red, green, blue].every((one) => one >= 0 && one <= 255) ? `rgb(${red} ${green} ${blue})` : null;
}

/** Give one of the 256 colours: 16 of the palette, a cube of 6 × 6 × 6, 24 greys. */
function indexed(code: number): Colour | null {
  if (!Number.isInteger(code) || code < 0 || code > 255) return null;
  if (code < 16) return code;
  if (code > 231) {
    const grey = 8 + 10 * (code - 232);
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const level = (place: number): number => (place === 0 ? 0 : 55 + 40 * place);
  const cube = code - 16;
  return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
}

/** Give a line without colours or escapes, as it shows: for search and copy. */
export function plainText(line: string): string {
  return spansOf(line)
    .spans.map((span) => span.text)
    .join('');
}

export interface Marked extends Span {
  /** Part of what was searched for. */
  hit: boolean;
}

/** Part spans where a text begins and ends, case ignored, also where it goes over several of them. */
export function marked(line: Line, search: string): Marked[] {
  const wanted = search.toLowerCase();
  if (!wanted) return line.map((span) => ({ ...span, hit: false }));
  const whole = line.map((span) => span.text).join('').toLowerCase(); // prettier-ignore
  const hits: number[] = [];
  for (let at = whole.indexOf(wanted); at >= 0; at = whole.indexOf(wanted, at + wanted.length)) hits.push(at);
  const cuts = [...new Set(hits.flatMap((at) => [at, at + wanted.length]))];
  const isHit = (at: number): boolean => hits.some((hit) => hit <= at && at < hit + wanted.length);
  let from = 0;
  return line.flatMap((span) => {
    const inside = cuts.filter((cut) => cut > from && cut < from + span.text.length).map((cut) => cut - from);
    const ends = [0, ...inside, span.text.length];
    const parts = ends.slice(1).map((end, place): Marked => ({ ...span, text: span.text.slice(ends[place], end), hit: isHit(from + ends[place]!) }));
    from += span.text.length;
    return parts;
  });
}
