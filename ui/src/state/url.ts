/** The whole state of a page as an address, and back. Pure; docs/formats/api.md, "Pages". */

export type PageName = 'runs' | 'run' | 'compare' | 'seeds';
export type Goal = 'min' | 'max';

export interface Column {
  key: string;
  pinned: boolean;
}

export interface ViewState {
  store: string | null;
  page: PageName;
  /** the run of the run page */
  run: string | null;
  /** the filter; it holds on every page */
  q: string;
  /** ticked runs; they hold on every page */
  sel: string[];
  show: 'live' | 'archived' | 'deleted';
  sort: string;
  /** chosen columns; null: those that the overview proposes */
  cols: Column[] | null;
  /** params to group by; null: fold over the seeds where there are any; empty: every run its own row */
  by: string[] | null;
  /** the metric drawn large; null: the objective */
  m: string | null;
  x: string;
  logX: boolean;
  logY: boolean;
  smooth: number;
  zoom: [number, number] | null;
  pin: string[];
  find: string;
  runs: string[];
  base: string | null;
  metric: string | null;
  over: string[];
  goal: Goal | null;
  at: string;
}

export const AT_FIRST: Readonly<ViewState> = Object.freeze({
  store: null,
  page: 'runs',
  run: null,
  q: '',
  sel: [],
  show: 'live',
  sort: '',
  cols: null,
  by: null,
  m: null,
  x: 'step',
  logX: false,
  logY: false,
  smooth: 0,
  zoom: null,
  pin: [],
  find: '',
  runs: [],
  base: null,
  metric: null,
  over: [],
  goal: null,
  at: 'last',
});

const AXES = ['x', 'log', 'zoom'];
const CHARTS = ['m', ...AXES, 'smooth', 'pin', 'find'];
const OF_PAGE: Record<PageName, string[]> = {
  runs: ['q', 'show', 'sort', 'by', 'cols', ...CHARTS, 'sel'],
  run: [...CHARTS, 'q', 'sel'],
  compare: ['runs', 'base', ...CHARTS, 'q', 'sel'],
  seeds: ['q', 'metric', 'over', 'by', 'goal', 'at', 'base', ...AXES, 'sel'],
};

/** Split a list at its commas; one that belongs to a name stands behind a backslash. */
export function splitList(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\' && at + 1 < text.length) part += text[++at];
    else if (text[at] === ',') {
      parts.push(part);
      part = '';
    } else part += text[at];
  }
  parts.push(part);
  return parts.filter((each) => each !== '');
}

export function joinList(parts: readonly string[]): string {
  return parts.map((part) => part.replace(/[\\,]/g, '\\$&')).join(',');
}

function parseZoom(text: string | null): [number, number] | null {
  const ends = text?.split('..').map(Number) ?? [];
  const [from, to] = ends;
  if (ends.length !== 2 || from === undefined || to === undefined) return null;
  return Number.isFinite(from) && Number.isFinite(to) && from < to ? [from, to] : null;
}

function parseBy(text: string | null): string[] | null {
  if (text === null || text === '') return null;
  return text === 'none' ? [] : splitList(text);
}

function parsePath(path: string): Pick<ViewState, 'store' | 'page' | 'run'> {
  const parts = path.split('/').filter(Boolean).map(decoded);
  const [store = null, page = 'runs', run = null] = parts;
  if (page === 'run' && run) return { store, page, run };
  return { store, page: page === 'compare' || page === 'seeds' ? page : 'runs', run: null };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray % is a name like any other
  }
}

/** Read an address. What makes no sense is left at its default: an old link still opens. */
export function parse(path: string, search: string): ViewState {
  const given = new URLSearchParams(search);
  const list = (name: string): string[] => splitList(given.get(name) ?? '');
  const log = list('log');
  const smooth = Number(given.get('smooth') ?? 0);
  const cols = given.get('cols');
  const show = given.get('show');
  const goal = given.get('goal');
  return {
    ...parsePath(path),
    q: given.get('q') ?? '',
    sel: list('sel').filter(isId),
    show: show === 'archived' || show === 'deleted' ? show : 'live',
    sort: given.get('sort') ?? '',
    cols: cols === null ? null : splitList(cols).map(parseColumn),
    by: parseBy(given.get('by')),
    m: given.get('m') || null,
    x: given.get('x') || 'step',
    logX: log.includes('x'),
    logY: log.includes('y'),
    smooth: smooth > 0 && smooth < 1 ? smooth : 0,
    zoom: parseZoom(given.get('zoom')),
    pin: list('pin'),
    find: given.get('find') ?? '',
    runs: list('runs'),
    base: given.get('base') || null,
    metric: given.get('metric') || null,
    over: list('over'),
    goal: goal === 'min' || goal === 'max' ? goal : null,
    at: given.get('at') || 'last',
  };
}

const isId = (text: string): boolean => /^[0-9a-f]{8,32}$/.test(text);

function parseColumn(text: string): Column {
  return text.startsWith('~') ? { key: text.slice(1), pinned: true } : { key: text, pinned: false };
}

/** Each parameter's text; empty where it says nothing new. */
function texts(state: ViewState): Record<string, string> {
  return {
    q: state.q,
    sel: joinList(state.sel.map((id) => id.slice(0, 8))),
    show: state.show === 'live' ? '' : state.show,
    sort: state.sort,
    cols: state.cols === null ? '' : joinList(state.cols.map(({ key, pinned }) => (pinned ? `~${key}` : key))),
    by: state.by === null ? '' : state.by.length === 0 ? 'none' : joinList(state.by),
    m: state.m ?? '',
    x: state.x === 'step' ? '' : state.x,
    log: [state.logX ? 'x' : '', state.logY ? 'y' : ''].filter(Boolean).join(','),
    smooth: state.smooth > 0 ? String(state.smooth) : '',
    zoom: state.zoom ? `${state.zoom[0]}..${state.zoom[1]}` : '',
    pin: joinList(state.pin),
    find: state.find,
    runs: joinList(state.runs.map((id) => id.slice(0, 8))),
    base: state.base?.slice(0, 8) ?? '',
    metric: state.metric ?? '',
    over: joinList(state.over),
    goal: state.goal ?? '',
    at: state.at === 'last' ? '' : state.at,
  };
}

/** Encode only what must be: an address is read by people too. */
function encoded(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, '+')
    .replace(/%(2C|2F|3A|3D|40|24|3B)/g, (code) => decodeURIComponent(code));
}

/** Write the address of a state: defaults are left out, and what is not of its page. */
export function format(state: ViewState): string {
  const path = [state.store, state.store && state.page, state.page === 'run' && state.run]
    .filter((part): part is string => Boolean(part))
    .map((part) => `/${encodeURIComponent(part)}`);
  const said = texts(state);
  const query = OF_PAGE[state.page].filter((name) => said[name]).map((name) => `${name}=${encoded(said[name] ?? '')}`);
  return (path.join('') || '/') + (query.length > 0 ? `?${query.join('&')}` : '');
}

const FIELDS: Record<string, (keyof ViewState)[]> = { log: ['logX', 'logY'] };

/** Come to `to` from `from`: what its page does not say stays as it was, so that going back finds it again. */
export function carried(from: ViewState, to: ViewState): ViewState {
  if (from.store !== to.store) return to;
  const next: ViewState = { ...from, store: to.store, page: to.page, run: to.run };
  for (const name of OF_PAGE[to.page]) {
    for (const field of FIELDS[name] ?? [name as keyof ViewState]) Object.assign(next, { [field]: to[field] });
  }
  return next;
}

/** Whether the table is as it is by itself: all runs, nothing chosen. The server then tells its first rows with the overview. */
export const isPlain = ({ q, show, sort, by, cols }: ViewState): boolean => q === '' && show === 'live' && sort === '' && by === null && cols === null;

/** The runs that a state is about, as the server is asked for them. */
export function selectedIn({ q, show }: ViewState): { q?: string; archived?: boolean; deleted?: boolean } {
  return { ...(q && { q }), ...(show !== 'live' && { [show]: true }) };
}
