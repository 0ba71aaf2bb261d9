/** The value cells of a run, made and filled by hand: a scroll needs hundreds of them at once, each no more than a word. */
import { number4 } from '../../data/format';
import { cellText, numberIn, type Scale } from './cells';
import type { ColumnNoun } from './columns';
import type { RunRow } from './rows';

/** How the cells of one column look. */
export interface CellForm {
  /** its place among the columns */
  at: number;
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

/** Fill the cells of a row; those that are there are used again. `placed`: other cells stand between them. */
export function fillCells(node: HTMLElement, row: RunRow, forms: readonly CellForm[], placed: boolean, now_ms: number): void {
  const cells = node.children;
  while (cells.length > forms.length) cells[forms.length]?.remove();
  forms.forEach((form, i) => {
    const cell = (cells[i] as HTMLElement | undefined) ?? node.appendChild(made());
    cell.dataset.cell = String(form.at);
    cell.setAttribute('aria-colindex', String(form.at + FIXED + 1));
    cell.style.gridArea = placed ? `1 / ${form.at + FIXED + 1}` : '';
    cell.style.setProperty('--left', form.left === null ? '' : `${form.left}px`);
    fill(cell, row, form, now_ms);
  });
}

/** cells before them: tick, name, state */
export const FIXED = 3;

function made(): HTMLElement {
  const cell = document.createElement('div');
  cell.setAttribute('role', 'gridcell');
  return cell;
}

function fill(cell: HTMLElement, row: RunRow, { noun, scale, left, text, tight, underMeans }: CellForm, now_ms: number): void {
  const value = row.cells[noun.key];
  const isNumber = typeof value === 'number';
  const isNone = value === null || value === undefined;
  const isText = isNone ? text : !isNumber && typeof value !== 'bigint' && noun.family !== 'metrics';
  cell.className = `cell value${isText ? ' text' : ''}${isNone ? ' none' : ''}${tight ? ' tight' : ''}${left === null ? '' : ' pinned'}`;
  if (isNone) cell.textContent = '–';
  else if (underMeans && isNumber) cell.replaceChildren(underMean(numberIn(value, scale)));
  else if (noun.family === 'summary' && isNumber) cell.textContent = number4(value);
  else cell.textContent = cellText(noun.key, value, scale, now_ms);
}

/** A number with the room beside it where groups have their interval. */
function underMean(text: string): HTMLElement {
  const both = document.createElement('span');
  const aside = document.createElement('span');
  both.className = 'both';
  aside.className = 'aside';
  both.append(text, aside);
  return both;
}
