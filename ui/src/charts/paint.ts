/** Puts a picture onto a canvas. Everything is in device pixels. */
import { alphaFor, Density, marked, within, type Place } from '../data/density';
import type { Curve } from '../data/frames';
import { DOT, onlyOne, traceLine, traceShade, unrolled, unrolledGrid } from '../data/outline';
import type { Picture, Shaded, Stroke } from '../data/picture';
import type { Span } from '../data/scales';
import { colourAt, type Look } from './look';

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Geometry {
  box: Box;
  /** device pixels of a CSS pixel */
  ratio: number;
  window: Span;
  span: Span;
  px: Place;
  py: Place;
}

type Context = CanvasRenderingContext2D;

/** in CSS pixels: buckets wider than this do not touch when each stands on one column */
const COARSE = 1.5;

/** The grey of many curves, kept between frames of which only other things change. */
export class Haze {
  private density: Density | null = null;
  private canvas: HTMLCanvasElement | null = null;

  paint(context: Context, grey: Picture['grey'], { box, window, px, py, ratio }: Geometry, look: Look): void {
    const [width, height] = [Math.round(box.width), Math.round(box.height)];
    if (grey.length === 0 || width < 1 || height < 1) return;
    if (this.density?.width !== width || this.density.height !== height) {
      this.density = new Density(width, height);
      this.canvas = Object.assign(document.createElement('canvas'), { width, height });
    }
    const { density } = this;
    density.clear();
    const down = (value: number): number => py(value) - box.top;
    let grid: Float64Array | null = null;
    let fine: Float64Array | null = null;
    let xs = new Float64Array(0);
    for (const { curve, y } of grey) {
      if (curve.x !== grid) {
        grid = curve.x;
        fine = curve.low && grid.length > 1 && px(grid[1] as number) - px(grid[0] as number) > COARSE * ratio ? unrolledGrid(grid) : null;
        xs = (fine ?? grid).map((x) => px(x) - box.left);
      }
      const own = y === curve.y ? curve : { ...curve, y, low: null, high: null };
      const shown = fine && own.low ? unrolled(own, fine) : own;
      const [from, to] = within(shown.x, window[0], window[1]);
      density.add(shown, xs, down, from, to, ratio);
    }
    const image = new ImageData(density.image(look.restRgb, alphaFor(grey.length) * (look.dark ? 1.3 : 1)), width, height);
    this.canvas?.getContext('2d')?.putImageData(image, 0, 0);
    if (this.canvas) context.drawImage(this.canvas, Math.round(box.left), Math.round(box.top));
  }
}

function clipped(context: Context, { left, top, width, height }: Box, paint: () => void): void {
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.lineJoin = 'round';
  context.lineCap = 'round';
  paint();
  context.restore();
}

export function paintPicture(context: Context, picture: Picture, at: Geometry, look: Look, haze: Haze): void {
  clipped(context, at.box, () => {
    for (const each of picture.bands) paintBand(context, each, at, look);
    haze.paint(context, picture.grey, at, look);
    if (picture.grey.length > 0) for (const each of picture.bands) paintEdges(context, each, at, look);
    for (const each of picture.bands) paintCentre(context, each, at, look);
    for (const each of picture.strokes) paintStroke(context, each, at, look);
  });
  const taken = new Set<number>();
  for (const { curve, place } of picture.strokes) paintMarks(context, curve, colourAt(look, place), at, taken);
  for (const { curve } of picture.grey) paintMarks(context, curve, look.ink3, at, taken);
}

function paintBand(context: Context, { band, place }: Shaded, at: Geometry, look: Look): void {
  context.fillStyle = place === null ? look.ink : colourAt(look, place);
  context.globalAlpha = place === null ? (look.dark ? 0.12 : 0.07) : 0.16;
  context.beginPath();
  traceShade(band.x, band.low, band.high, at.window, at.px, at.py, context);
  context.fill();
  context.globalAlpha = 1;
}

/** The edges of a band, over curves that hide its shade. */
function paintEdges(context: Context, { band, low, high }: Shaded, at: Geometry, look: Look): void {
  context.strokeStyle = look.ink;
  context.globalAlpha = 0.4;
  context.lineWidth = at.ratio;
  for (const edge of [low, high]) strokeLine(context, bandCurve(band), edge, at);
  context.globalAlpha = 1;
}

/** The middle line, paler where only some of the runs have a value. */
function paintCentre(context: Context, { band, centre, raw, place }: Shaded, at: Geometry, look: Look): void {
  const curve = { ...bandCurve(band), y: centre };
  if (place === null) {
    context.strokeStyle = look.paper;
    context.lineWidth = 4 * at.ratio;
    strokeLine(context, curve, curve.y, at);
  }
  context.strokeStyle = place === null ? look.ink : colourAt(look, place);
  if (raw) {
    context.globalAlpha = 0.3;
    context.lineWidth = at.ratio;
    strokeLine(context, curve, raw, at);
    context.globalAlpha = 1;
  }
  context.lineWidth = 1.5 * at.ratio;
  let most = 0;
  for (const runs of band.count) most = Math.max(most, runs);
  const whole = Float64Array.from(curve.y, (value, i) => (band.count[i] === most ? value : Number.NaN));
  if (whole.some((value, i) => Number.isNaN(value) && !Number.isNaN(curve.y[i] as number))) {
    context.globalAlpha = 0.4;
    strokeLine(context, curve, curve.y, at);
    context.globalAlpha = 1;
  }
  strokeLine(context, curve, whole, at);
  paintOnly(context, curve.x, curve.y, at);
}

/** A band's middle line as a curve, to be drawn and read like one. */
export const bandCurve = (band: Shaded['band']): Curve => ({
  id: '', x: band.x, y: band.centre, low: null, high: null, smooth: null, points: band.x.length, thinned: true, marks: [], final: null,
});

function strokeLine(context: Context, curve: Curve, y: Curve['y'], at: Geometry): void {
  context.beginPath();
  traceLine(curve, y, at.window, at.px, at.py, context);
  context.stroke();
}

/** A curve of one point is no line: a dot that is seen. */
function paintOnly(context: Context, xs: Float64Array, y: Curve['y'], at: Geometry): void {
  const i = onlyOne(y);
  if (i < 0) return;
  const [x, down] = [at.px(xs[i] as number), at.py(y[i] as number)];
  if (!Number.isFinite(x + down)) return;
  context.fillStyle = context.strokeStyle;
  context.beginPath();
  context.arc(x, down, DOT * at.ratio, 0, 7);
  context.fill();
}

/** One curve: the shade from lowest to highest where thinned, the raw line faint behind a smoothed one, the line. */
export function paintStroke(context: Context, { curve, y, raw, place, strong }: Stroke, at: Geometry, look: Look, width = (strong ? 1.75 : 1.25) * (at.box.height < 170 * at.ratio ? 0.75 : 1)): void {
  const colour = colourAt(look, place);
  if (curve.low && curve.high) {
    context.fillStyle = colour;
    context.globalAlpha = 0.2;
    context.beginPath();
    traceShade(curve.x, curve.low, curve.high, at.window, at.px, at.py, context, (i) => marked(curve, i));
    context.fill();
  }
  context.strokeStyle = colour;
  if (raw) {
    context.globalAlpha = 0.3;
    context.lineWidth = at.ratio;
    strokeLine(context, curve, raw, at);
  }
  context.globalAlpha = 1;
  context.lineWidth = width * at.ratio;
  strokeLine(context, curve, y, at);
  paintOnly(context, curve.x, y, at);
}

/** × at the bottom for NaN, ▲ at the top for +∞, ▼ at the bottom for −∞, at their x; where many fall together, one. */
function paintMarks(context: Context, { marks }: Curve, colour: string, { box, ratio, px, window }: Geometry, taken: Set<number>): void {
  if (marks.length === 0) return;
  const r = 2.5 * ratio;
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 1.25 * ratio;
  context.beginPath();
  for (const [at, value] of marks) {
    if (at < window[0] || at > window[1]) continue;
    const x = px(at);
    const kind = Number.isNaN(value) ? 0 : value > 0 ? 1 : 2;
    const slot = Math.floor(x / (8 * ratio)) * 3 + kind;
    if (taken.has(slot)) continue;
    taken.add(slot);
    const y = kind === 1 ? box.top + r + ratio : box.top + box.height - r - ratio;
    if (Number.isNaN(value)) {
      context.moveTo(x - r, y - r);
      context.lineTo(x + r, y + r);
      context.moveTo(x + r, y - r);
      context.lineTo(x - r, y + r);
    } else {
      const tip = value > 0 ? -r : r;
      context.moveTo(x - r, y - tip * 0.6);
      context.lineTo(x + r, y - tip * 0.6);
      context.lineTo(x, y + tip);
      context.lineTo(x - r, y - tip * 0.6);
    }
  }
  context.stroke();
}
