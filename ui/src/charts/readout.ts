/** What the chart reads out at the cursor: lines of its tooltip, and words for who cannot see it. */
import { count, duration, number4 } from '../data/format';
import { readAt, sorted, type Reading } from '../data/pointing';
import type { Picture, Stroke } from '../data/picture';
import type { Unit } from '../data/scales';
import { bandCurve } from './paint';

export interface Row {
  id: string;
  label: string;
  value: string;
  /** the interval, where it is a band */
  more: string;
  place: number | null;
  front: boolean;
}

export interface ReadOut {
  at: string;
  rows: Row[];
  more: number;
  dots: (Reading & { place: number | null })[];
}

const ROWS_MAX = 12;

/** Write an x as the readout does. */
export function wordsOfX(x: number, unit: Unit, name: string): string {
  if (unit === 'time') return new Date(x).toLocaleString('sv').replace('T', ' ');
  if (unit === 'duration') return `${duration(x)} in`;
  return `${name} ${name === 'step' && Math.abs(x) < 2 ** 53 ? count(Math.round(x)) : number4(x)}`;
}

/** Read all lines of a picture at `x`, in the order of the goal; the one in front is always among them. */
export function readOut(
  picture: Picture,
  front: Stroke | null,
  x: number,
  reach: number,
  goal: string | null,
  labelOf: (id: string) => string,
  at: string,
): ReadOut {
  const lines = front && !picture.strokes.some(({ id }) => id === front.id) ? [...picture.strokes, front] : picture.strokes;
  const byId = new Map(lines.map((line) => [line.id, line]));
  const readings = lines.map(({ curve, y }) => readAt(curve, y, x, reach)).filter((each) => each !== null);
  const rows: Row[] = sorted(readings, goal).map(({ id, value }) => ({
    id,
    label: labelOf(id),
    value: number4(value),
    more: '',
    place: byId.get(id)?.place ?? null,
    front: id === front?.id,
  }));
  const shown = rows.slice(0, ROWS_MAX);
  const kept = rows.find((row) => row.front);
  if (kept && !shown.includes(kept)) shown[ROWS_MAX - 1] = kept;
  return {
    at,
    rows: [...bandRows(picture, x, reach), ...shown],
    more: rows.length - shown.length,
    dots: readings.map((reading) => ({ ...reading, place: byId.get(reading.id)?.place ?? null })),
  };
}

function bandRows(picture: Picture, x: number, reach: number): Row[] {
  const found: Row[] = [];
  for (const { band, centre: line, place, label } of picture.bands.slice(0, ROWS_MAX)) {
    const curve = bandCurve(band);
    const centre = readAt(curve, line, x, reach);
    if (!centre) continue;
    const i = band.x.indexOf(centre.x);
    const [low, high] = [band.low[i] ?? Number.NaN, band.high[i] ?? Number.NaN];
    const more = Number.isNaN(low) ? '' : `${number4(low)} … ${number4(high)}`;
    found.push({ id: '', label, value: number4(centre.value), more, place, front: false });
  }
  return found;
}
