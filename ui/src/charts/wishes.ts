/** What a chart asks the server for. Pure, and apart from the charts, so that it can be asked before the chart is there. */
import { address } from '../api/client';
import { FEW } from '../data/picture';

const CURVES = 1000;
const CURVES_MAX = 5000;
export const EXACT = 10_000;
/** of more curves than this the grey is drawn coarsely */
const GREY = 200;
const GREY_BUCKETS = 50;
/** of more runs than this the server reads the curves of some sooner than the band of all */
export const VERY_MANY = 2000;

export interface Selection {
  q?: string;
  runs?: readonly string[];
  archived?: boolean;
  deleted?: boolean;
}

export interface Wish {
  metric: string;
  selection: Selection;
  x: string;
  from?: number | null;
  to?: number | null;
  buckets: number;
  curves: number;
  first?: readonly string[];
  bands: boolean;
  group?: readonly string[];
  centre?: 'mean' | 'median';
  as: 'f8' | 'f4' | 'u2';
  smooth: number;
}

const asked = ({ q, runs, archived, deleted }: Selection): Record<string, string | boolean | null> => ({
  q: q ?? null,
  runs: runs ? runs.map((id) => id.slice(0, 8)).join(',') : null,
  archived: archived ?? false,
  deleted: deleted ?? false,
});

/** Whether an address asks about the runs of a selection. */
export function isAbout(url: string, selection: Selection): boolean {
  const said = new URLSearchParams(url.slice(url.indexOf('?')));
  return Object.entries(asked(selection)).every(([name, value]) => (said.get(name) ?? '') === String(value || ''));
}

const HOW = ['from', 'to', 'buckets', 'curves', 'first', 'bands', 'as'];

/** Whether two addresses ask about the same runs on the same axis, however fine, and whichever part of it. */
export function isAlike(one: string, other: string): boolean {
  const [left, right] = [one, other].map((url) => {
    const said = new URLSearchParams(url.slice(url.indexOf('?')));
    for (const name of HOW) said.delete(name);
    return String(said);
  });
  return left === right;
}

/** The address of a wish; equal wishes have equal addresses. */
export function addressOf(store: string, wish: Wish): string {
  const { selection } = wish;
  return address(store, 'series', {
    metric: wish.metric,
    ...asked(selection),
    x: wish.x === 'step' ? null : wish.x,
    from: wish.from ?? null,
    to: wish.to ?? null,
    buckets: wish.buckets,
    curves: wish.curves,
    first: wish.first && wish.first.length > 0 ? wish.first.map((id) => id.slice(0, 8)).join(',') : null,
    bands: wish.bands ? null : 'false',
    group: wish.group ?? [],
    centre: wish.centre === 'median' ? 'median' : null,
    as: wish.as,
    smooth: wish.smooth > 0 ? wish.smooth : null,
  });
}

export interface Wanted {
  metric: string;
  selection: Selection;
  x: string;
  smooth: number;
  group: readonly string[];
  centre?: 'mean' | 'median';
  ticked: readonly string[];
  compact: boolean;
  /** how many runs have the metric, as far as that is known */
  having: number | null;
  /** every point */
  exact?: boolean;
  /** every curve */
  all?: boolean;
}

export const bucketsFor = (compact: boolean): number => (compact ? 300 : 1000);

/** What all that a chart asks for has in common. */
export const baseWish = ({ metric, selection, x, smooth, group, centre, compact, exact }: Wanted): Omit<Wish, 'curves' | 'bands' | 'as'> => ({
  metric,
  selection,
  x,
  buckets: exact ? EXACT : bucketsFor(compact),
  group,
  centre: centre ?? 'mean',
  smooth,
});

/** All runs at once. Few come exact; many as a background of 16 bits, or in a small multiple as bands alone, to seven digits. */
export function wholeWish(wanted: Wanted): Wish {
  const { group, ticked, compact, having, exact, all } = wanted;
  const base = baseWish(wanted);
  const few = having === null ? null : having <= FEW;
  const veryMany = (having ?? 0) > VERY_MANY;
  const coarse = exact ? EXACT : GREY_BUCKETS;
  if (group.length > 0) return { ...base, curves: 0, bands: true, as: 'f8' };
  if (compact && veryMany) return { ...base, buckets: coarse, curves: GREY, first: ticked, bands: false, as: 'u2' };
  if (compact && few === false) return { ...base, curves: Math.min(ticked.length, CURVES), first: ticked, bands: true, as: exact ? 'f8' : 'f4' };
  if (compact) return { ...base, curves: FEW, bands: true, as: 'f8' };
  const buckets = (having ?? 0) > GREY ? coarse : base.buckets;
  return { ...base, buckets, curves: all ? CURVES_MAX : CURVES, bands: !veryMany, as: few === true ? 'f8' : 'u2' };
}
