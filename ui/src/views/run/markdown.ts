/** A small, safe part of Markdown as a tree: headings, lists and what is to do, tables, quotes, code, emphasis, links. Never HTML; what is not understood is text. */

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong' | 'em' | 'strike'; children: Inline[] }
  | { kind: 'link'; href: string; children: Inline[] }
  | { kind: 'break' };

export type Block =
  | { kind: 'heading'; level: number; children: Inline[] }
  | { kind: 'paragraph'; children: Inline[] }
  | { kind: 'code'; text: string }
  | { kind: 'quote'; children: Block[] }
  /** `done`: of each item whether its box is ticked; null where it has none. */
  | { kind: 'list'; ordered: boolean; start: number; items: Block[][]; done: (boolean | null)[] }
  | { kind: 'table'; right: boolean[]; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'rule' };

const DEPTH_MAX = 8;
const LENGTH_MAX = 200_000;
const HEADING = /^(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:[ \t]+(.*)|)$/;
const TASK = /^\[([ xX])\][ \t]+/;
const DELIMITER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const COLUMNS_MAX = 50;

/** Parse text into blocks. What goes beyond a length or depth that people write by hand stays plain text. */
export function parseMarkdown(text: string): Block[] {
  const lines = text.slice(0, LENGTH_MAX).replace(/\r\n?/g, '\n').split('\n');
  const blocks = parseBlocks(lines, 0);
  if (text.length > LENGTH_MAX) blocks.push({ kind: 'code', text: text.slice(LENGTH_MAX) });
  return blocks;
}

function parseBlocks(lines: string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    if (line.trim() === '') {
      at += 1;
      continue;
    }
    const [block, next] = depth < DEPTH_MAX ? oneBlock(lines, at, depth) : paragraph(lines, at);
    blocks.push(block);
    at = next;
  }
  return blocks;
}

function oneBlock(lines: string[], at: number, depth: number): [Block, number] {
  const line = lines[at]!;
  const heading = HEADING.exec(line);
  if (heading) return [{ kind: 'heading', level: heading[1]!.length, children: parseInline(heading[2]!) }, at + 1];
  if (RULE.test(line)) return [{ kind: 'rule' }, at + 1];
  if (FENCE.test(line)) return fenced(lines, at);
  if (line.startsWith('>')) return quoted(lines, at, depth);
  if (ITEM.test(line)) return listed(lines, at, depth);
  if (isTable(lines, at)) return tabled(lines, at);
  return paragraph(lines, at);
}

function fenced(lines: string[], at: number): [Block, number] {
  const fence = FENCE.exec(lines[at]!)![1]!;
  let end = at + 1;
  while (end < lines.length && !lines[end]!.trim().startsWith(fence)) end += 1;
  return [{ kind: 'code', text: lines.slice(at + 1, end).join('\n') }, end + 1];
}

function quoted(lines: string[], at: number, depth: number): [Block, number] {
  let end = at;
  while (end < lines.length && lines[end]!.startsWith('>')) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(/^> ?/, ''));
  return [{ kind: 'quote', children: parseBlocks(inner, depth + 1) }, end];
}

function listed(lines: string[], at: number, depth: number): [Block, number] {
  const first = ITEM.exec(lines[at]!)![2]!;
  const ordered = /\d/.test(first);
  const items: string[][] = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const line = lines[end]!;
    const item = ITEM.exec(line);
    if (end > at && /^(?: {2,}|\t)\S/.test(line)) items[items.length - 1]!.push(line.replace(/^(?:\t| {2,4})/, ''));
    else if (item && /\d/.test(item[2]!) === ordered && !RULE.test(line)) items.push([item[3] ?? '']);
    else if (line.trim() === '' && belongs(lines[end + 1])) items[items.length - 1]!.push('');
    else break;
  }
  const start = ordered ? parseInt(first, 10) : 1;
  const done = items.map((inner) => {
    const box = TASK.exec(inner[0]!);
    if (box) inner[0] = inner[0]!.slice(box[0].length);
    return box && box[1] !== ' ';
  });
  return [{ kind: 'list', ordered, start, items: items.map((inner) => parseBlocks(inner, depth + 1)), done }, end];
}

/** A table is a line of cells above one of dashes, with as many of them. */
function isTable(lines: string[], at: number): boolean {
  const under = lines[at + 1];
  if (under === undefined || !lines[at]!.includes('|') || under.length > LINK_MAX || !under.includes('|') || !DELIMITER.test(under)) return false;
  const columns = cellsOf(lines[at]!).length;
  return columns <= COLUMNS_MAX && columns === cellsOf(under).length;
}

function tabled(lines: string[], at: number): [Block, number] {
  const right = cellsOf(lines[at + 1]!).map((cell) => cell.endsWith(':') && !cell.startsWith(':'));
  const inlines = (line: string): Inline[][] => {
    const cells = cellsOf(line);
    return right.map((_, place) => parseInline(cells[place] ?? ''));
  };
  let end = at + 2;
  while (end < lines.length && lines[end]!.includes('|')) end += 1;
  return [{ kind: 'table', right, head: inlines(lines[at]!), rows: lines.slice(at + 2, end).map(inlines) }, end];
}

function cellsOf(line: string): string[] {
  const inner = line.trim().replace(/^\|/, '').replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function belongs(line: string | undefined): boolean {
  return line !== undefined && (ITEM.test(line) || /^(?: {2,}|\t)\S/.test(line));
}

function paragraph(lines: string[], at: number): [Block, number] {
  let end = at + 1;
  while (end < lines.length && lines[end]!.trim() !== '' && !begins(lines[end]!) && !isTable(lines, end)) end += 1;
  const children = lines.slice(at, end).flatMap((line, place): Inline[] => {
    const inner = parseInline(line.trim());
    return place === 0 ? inner : [{ kind: 'break' }, ...inner]; // notes are typed line by line: a line stays one
  });
  return [{ kind: 'paragraph', children }, end];
}

function begins(line: string): boolean {
  return HEADING.test(line) || RULE.test(line) || FENCE.test(line) || line.startsWith('>') || ITEM.test(line);
}

const LINK = /^\[([^[\]]*)\]\(([^()\s]*)\)/;
const LINK_MAX = 2000;
const ADDRESS = /^https?:\/\/[^\s<>"'`]+/i;
const PAIRS: [string, 'strong' | 'em' | 'strike'][] = [
  ['**', 'strong'],
  ['__', 'strong'],
  ['~~', 'strike'],
  ['*', 'em'],
  ['_', 'em'],
];

/** Parse one line into spans. */
export function parseInline(text: string, depth = 0): Inline[] {
  const found: Inline[] = [];
  let plain = '';
  const put = (node: Inline, length: number): void => {
    if (plain) found.push({ kind: 'text', text: plain });
    plain = '';
    found.push(node);
    at += length;
  };
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '\\' && /[\\`*_~[\]()#>!-]/.test(text[at + 1] ?? '')) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    const taken = INTERESTING.has(char) && depth < DEPTH_MAX ? special(text, at, depth) : null;
    if (taken) put(...taken);
    else {
      const run = INTERESTING.has(char) ? runOf(text, at) : 1; // as one: a thousand stars are not looked at a thousand times
      plain += text.slice(at, at + run);
      at += run;
    }
  }
  if (plain) found.push({ kind: 'text', text: plain });
  return found;
}

const INTERESTING = new Set('`[*_~hH!');

function special(text: string, at: number, depth: number): [Inline, number] | null {
  const char = text[at]!;
  if (char === '`') return code(text, at);
  if (char === '!') return image(text.slice(at, at + LINK_MAX), depth);
  if (char === '[') return link(text.slice(at, at + LINK_MAX), depth);
  if (char === 'h' || char === 'H') return /\w/.test(text[at - 1] ?? '') ? null : address(text.slice(at, at + LINK_MAX));
  return emphasis(text, at, depth);
}

function runOf(text: string, at: number): number {
  let end = at + 1;
  while (text[end] === text[at]) end += 1;
  return end - at;
}

function code(text: string, at: number): [Inline, number] | null {
  const ticks = runOf(text, at);
  for (let end = text.indexOf('`', at + ticks); end >= 0 && end - at < CLOSE_WITHIN; ) {
    const closing = runOf(text, end);
    const inner = text.slice(at + ticks, end);
    if (closing === ticks) return [{ kind: 'code', text: inner.trim() || inner }, end + ticks - at];
    end = text.indexOf('`', end + closing);
  }
  return null;
}

function link(rest: string, depth: number): [Inline, number] | null {
  const found = LINK.exec(rest);
  const href = found && safeAddress(found[2]!);
  return found && href ? [{ kind: 'link', href, children: parseInline(found[1] || found[2]!, depth + 1) }, found[0].length] : null;
}

/** A picture from elsewhere is not fetched: its address is a link. */
function image(rest: string, depth: number): [Inline, number] | null {
  const found = link(rest.slice(1), depth);
  return found && [found[0], found[1] + 1];
}

function address(rest: string): [Inline, number] | null {
  const found = ADDRESS.exec(rest)?.[0].replace(/[.,;:!?)\]]+$/, '');
  const href = found && safeAddress(found);
  return found && href ? [{ kind: 'link', href, children: [{ kind: 'text', text: found }] }, found.length] : null;
}

function emphasis(text: string, at: number, depth: number): [Inline, number] | null {
  for (const [mark, kind] of PAIRS) {
    if (!text.startsWith(mark, at)) continue;
    if (mark[0] === '_' && /\w/.test(text[at - 1] ?? '')) continue; // snake_case stays
    const end = closing(text, at + mark.length, mark);
    if (end < 0) continue;
    return [{ kind, children: parseInline(text.slice(at + mark.length, end), depth + 1) }, end + mark.length - at];
  }
  return null;
}

const CLOSE_WITHIN = 2000; // looked for no further, so that a text of stars stays quick

function closing(text: string, from: number, mark: string): number {
  if (/^\s/.test(text.slice(from, from + 1))) return -1;
  const until = Math.min(text.length, from + CLOSE_WITHIN);
  for (let end = text.indexOf(mark, from + 1); end >= 0 && end < until; end = text.indexOf(mark, end + 1)) {
    const after = text[end + mark.length] ?? '';
    if (/\s/.test(text[end - 1]!) || (mark.length === 1 && (after === mark || text[end - 1] === mark))) continue;
    if (mark[0] === '_' && /\w/.test(after)) continue;
    return end;
  }
  return -1;
}

/** Give an address in its full form; null for what is not http or https, or cannot be parsed. */
export function safeAddress(address: string): string | null {
  if (!/^https?:\/\//i.test(address)) return null;
  try {
    const url = new URL(address);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null;
  } catch {
    return null;
  }
}
