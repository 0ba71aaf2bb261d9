/**
 * A chart's canvas: its axes, grid and the box between them; what lies in the box is painted by paint.ts.
 *
 * Written out rather than taken from a library: with scales, ticks, curves and gestures our own, the axes were all that
 * one would draw, for a fifth of the app's bytes.
 */
import type { Picture } from '../data/picture';
import { logTicks, placed, ticks, tickWords, type Span, type Unit } from '../data/scales';
import { look } from './look';
import { Haze, paintPicture, type Box, type Geometry } from './paint';

export interface Axes {
  window: Span;
  span: Span;
  logX: boolean;
  logY: boolean;
  unitX: Unit;
  /** nothing stands on the y axis, so it has no numbers */
  blankY?: boolean;
}

export interface Sizes {
  width: number;
  height: number;
  compact: boolean;
  /** room at the right for the names of curves, in CSS pixels */
  labels: number;
  /** device pixels of a CSS pixel, where not as on the screen */
  ratio?: number;
}

interface Ticks {
  at: number[];
  words: string[];
}

const FONT = 11;
const GAP = 4;
const X_AXIS = 18;

export class Plot {
  readonly canvas = document.createElement('canvas');
  /** lies on the box between the axes, for the pointer */
  readonly over = document.createElement('div');
  private readonly context = this.canvas.getContext('2d') as CanvasRenderingContext2D;
  private readonly haze = new Haze();
  private box: Box = { left: 0, top: 0, width: 0, height: 0 };
  private ratio = 1;
  private sizes: Sizes = { width: 0, height: 0, compact: false, labels: 0 };
  private axes: Axes = { window: [0, 1], span: [0, 1], logX: false, logY: false, unitX: 'number' };
  private x: Ticks = { at: [], words: [] };
  private y: Ticks = { at: [], words: [] };

  constructor(host: HTMLElement) {
    this.over.className = 'u-over';
    host.replaceChildren(this.canvas, this.over);
  }

  /** Where things are, by the last drawing. */
  geometry(): Geometry {
    const { left, top, width, height } = this.box;
    const { window, span, logX, logY } = this.axes;
    return { box: this.box, ratio: this.ratio, window, span, px: placed(window, left, left + width, logX), py: placed(span, top + height, top, logY) };
  }

  /** The same once more on a canvas of its own, at another ratio. */
  again(picture: Picture, ratio: number): Plot {
    const plot = new Plot(document.createElement('div'));
    plot.draw(picture, this.axes, { ...this.sizes, ratio });
    return plot;
  }

  tickSets(): { x: Ticks; y: Ticks; axes: Axes } {
    return { x: this.x, y: this.y, axes: this.axes };
  }

  /** Draw everything anew at this size in CSS pixels. */
  draw(picture: Picture, axes: Axes, sizes: Sizes): Geometry {
    this.axes = axes;
    this.sizes = sizes;
    this.ratio = sizes.ratio ?? devicePixelRatio;
    this.placeTicks(sizes);
    this.resize(sizes);
    const at = this.geometry();
    this.paintAxes(at);
    paintPicture(this.context, picture, at, look(), this.haze);
    return at;
  }

  private placeTicks({ width, height, compact }: Sizes): void {
    const { window, span, logX, logY, unitX, blankY } = this.axes;
    const across = Math.max(2, Math.floor((width - 60) / (unitX === 'time' ? 84 : 64)));
    const down = Math.max(2, Math.floor((height - 20) / (compact ? 24 : 40)));
    this.x = placedTicks(logX ? logTicks(window, across) : ticks(window, across, unitX), window, logX, unitX);
    this.y = blankY ? { at: [], words: [] } : placedTicks(logY ? logTicks(span, down) : ticks(span, down), span, logY, 'number');
  }

  private resize({ width, height, compact, labels }: Sizes): void {
    const { canvas, over, ratio } = this;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down });
    else this.context.clearRect(0, 0, across, down);
    const [left, top] = [this.wordsWidth(compact), compact ? 6 : 10];
    const inner = { left, top, width: Math.max(1, width - left - Math.max(labels, this.overhang())), height: Math.max(1, height - top - X_AXIS) };
    this.box = { left: Math.round(inner.left * ratio), top: Math.round(inner.top * ratio), width: Math.round(inner.width * ratio), height: Math.round(inner.height * ratio) };
    for (const [side, length] of Object.entries(inner)) over.style.setProperty(side, `${length}px`);
  }

  /** The widest word of the y axis, in steps of 8 so that zooming does not make the chart jump. */
  private wordsWidth(compact: boolean): number {
    const longest = this.y.words.reduce((a, b) => (b.length > a.length ? b : a), '');
    this.context.font = this.font();
    const width = this.context.measureText(longest).width / this.ratio + 2 * GAP;
    return Math.max(compact ? 40 : 48, Math.ceil(width / 8) * 8);
  }

  /** How far the last word of the x axis stands out. */
  private overhang(): number {
    const last = this.x.words.at(-1) ?? '';
    return (this.x.at.at(-1) ?? 0) > 0.95 ? Math.max(8, last.length * 3.2) : 8;
  }

  private readonly font = (): string => `${FONT * this.ratio}px ${look().family}`;

  private paintAxes({ box: { left, top, width, height }, ratio }: Geometry): void {
    const { context, x, y } = this;
    const thin = Math.max(1, Math.round(ratio));
    const down = (at: number): number => Math.round(top + height * (1 - at));
    context.fillStyle = look().line;
    for (const at of y.at) context.fillRect(left, Math.min(down(at), top + height - thin), width, thin);
    context.font = this.font();
    context.fillStyle = look().ink2;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    y.at.forEach((at, i) => context.fillText(y.words[i] ?? '', left - GAP * ratio, down(at)));
    context.textAlign = 'center';
    context.textBaseline = 'top';
    x.at.forEach((at, i) => context.fillText(x.words[i] ?? '', left + width * at, top + height + GAP * ratio));
  }

  destroy(): void {
    this.canvas.remove();
    this.over.remove();
  }
}

function placedTicks(values: number[], span: Span, log: boolean, unit: Unit): Ticks {
  const place = placed(span, 0, 1, log);
  return { at: values.map(place), words: tickWords(values, unit, log) };
}
