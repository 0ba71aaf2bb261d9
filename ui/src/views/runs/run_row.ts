/** The rows of runs, made and filled by hand: a first page and each step of a scroll need hundreds of cells at once, each no more than a word. */
import { number4 } from '../../data/format';
import { sparkPath } from '../../data/spark';
import { cellText, numberIn, type Scale } from './cells';
import type { ColumnNoun } from './columns';
import { nameOf, statusOf, type RunRow } from './rows';
import { STATES } from './states';

/** How the cells of one column look. */
export interface CellForm {
  noun: ColumnNoun;
  scale: Scale;
  /** px from the left where it is pinned */
  left: number | null;
  /** holds words: what is missing stands at the left too */
  text: boolean;
  /** as wide as somebody made it: what does not fit is cut */
  tight: boolean;
  /** where rows are groups, this column holds their dots and means: its numbers stand under those */
  underMeans: boolean;
}

/** cells before those of the columns: tick, name, state */
export const FIXED = 3;
const [TICK, NAME, STATE] = [0, 1, 2];
const [SPARK_WIDTH, SPARK_HEIGHT] = [84, 18];

/** what the columns of a row were when it was last filled */
const shaped = new WeakMap<HTMLElement, readonly CellForm[]>();

/** Fill a row with a run; what is there is used again. `indents`: rows of groups stand between, whose runs are set in. */
export function fillRun(node: HTMLElement, row: RunRow, forms: readonly CellForm[], href: string, indents: boolean, now_ms: number): void {
  if (node.firstChild === null) node.append(...begun());
  if (shaped.get(node) !== forms) shape(node, forms);
  const name = cellOf(node, NAME);
  name.className = `cell name${row.depth === 1 ? ' member' : indents ? ' indented' : ''}`;
  const link = name.firstChild as HTMLAnchorElement;
  link.href = href;
  link.textContent = nameOf(row);
  const status = statusOf(row);
  const [sign, word] = cellOf(node, STATE).children as unknown as [HTMLElement, HTMLElement];
  sign.className = status;
  sign.textContent = STATES[status].sign;
  word.textContent = status;
  forms.forEach((form, i) => fill(cellOf(node, FIXED + i), row, form, now_ms));
}

/** Say when a run was last heard of. */
export function tellWhen(node: HTMLElement, text: string): void {
  const when = cellOf(node, STATE).lastChild as HTMLElement;
  if (when.textContent !== text) when.textContent = text;
}

export function tickRun(node: HTMLElement, isTicked: boolean, colour: string | null): void {
  const box = cellOf(node, TICK).firstChild as HTMLInputElement;
  box.checked = isTicked;
  box.style.accentColor = (isTicked && colour) || '';
}

const cellOf = (node: HTMLElement, at: number): HTMLElement => node.children[at] as HTMLElement;

function made<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string>, ...children: Node[]): HTMLElementTagNameMap[K] {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  found.append(...children);
  return found;
}

const cell = (name: string, at: number, ...children: Node[]): HTMLElement => made('div', { class: `cell ${name}`, role: 'gridcell', 'aria-colindex': String(at + 1) }, ...children);

let first: HTMLElement[] | null = null;

/** The cells that all rows begin with. */
function begun(): Node[] {
  first ??= [
    cell('tick', TICK, made('input', { type: 'checkbox', tabindex: '-1', 'aria-label': 'Tick' })),
    cell('name', NAME, made('a', { tabindex: '-1', draggable: 'false' })),
    cell('state', STATE, made('span', { 'aria-hidden': 'true' }), made('span', { class: 'unseen' }), made('span', { class: 'when' })),
  ];
  return first.map((each) => each.cloneNode(true));
}

/** Give a row as many cells as there are columns, each in its place. */
function shape(node: HTMLElement, forms: readonly CellForm[]): void {
  while (node.children.length > FIXED + forms.length) node.lastChild?.remove();
  forms.forEach(({ left }, i) => {
    const here = (node.children[FIXED + i] as HTMLElement | undefined) ?? node.appendChild(cell('value', FIXED + i));
    here.dataset.cell = String(i);
    here.style.setProperty('--left', left === null ? '' : `${left}px`);
  });
  shaped.set(node, forms);
}

function fill(node: HTMLElement, row: RunRow, { noun, scale, left, text, tight, underMeans }: CellForm, now_ms: number): void {
  const ending = `${tight ? ' tight' : ''}${left === null ? '' : ' pinned'}`;
  if (noun.family === 'sparkline') {
    node.className = `cell value text${ending}`;
    node.replaceChildren(...(row.spark ? [sparkline(row.spark, `curve of ${noun.name}`)] : []));
    return;
  }
  const value = row.cells[noun.key];
  const isNumber = typeof value === 'number';
  const isNone = value === null || value === undefined;
  const isText = isNone ? text : !isNumber && typeof value !== 'bigint' && noun.family !== 'metrics';
  node.className = `cell value${isText ? ' text' : ''}${isNone ? ' none' : ''}${ending}`;
  if (isNone) node.textContent = '–';
  else if (underMeans && isNumber) node.replaceChildren(underMean(numberIn(value, scale)));
  else if (noun.family === 'summary' && isNumber) node.textContent = number4(value);
  else node.textContent = cellText(noun.key, value, scale, now_ms);
}

/** A number with the room beside it where groups have their interval. */
const underMean = (text: string): HTMLElement => made('span', { class: 'both' }, document.createTextNode(text), made('span', { class: 'aside' }));

/** A curve as small as a word. */
function sparkline(points: readonly (number | null)[], label: string): SVGElement {
  const drawing = (tag: string, attributes: Record<string, string>): SVGElement => {
    const found = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
    return found;
  };
  const svg = drawing('svg', { class: 'spark', width: String(SPARK_WIDTH), height: String(SPARK_HEIGHT), viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, role: 'img', 'aria-label': label });
  svg.append(drawing('path', { d: sparkPath(points, SPARK_WIDTH, SPARK_HEIGHT) }));
  return svg;
}
