/**
 * A chart's canvas: uPlot lays out axes, grid and device pixels; what lies between is ours (paint.ts).
 *
 * uPlot sees both axes as 0 to 1 and our ticks as places between, so that spans of 1e-300 or 1e300, log axes and times
 * are all the same to it.
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Picture } from '../data/picture';
import { logTicks, placed, ticks, tickWords, type Span, type Unit } from '../data/scales';
import { look } from './look';
import { Haze, paintPicture, type Geometry } from './paint';

export interface Axes {
  window: Span;
  span: Span;
  logX: boolean;
  logY: boolean;
  unitX: Unit;
}

export interface Labelled {
  text: string;
  colour: string;
}

export interface Sizes {
  compact: boolean;
  /** room at the right for the names of curves, in CSS pixels */
  labels: number;
}

interface Ticks {
  at: number[];
  words: string[];
}

const FONT = 11;

export class Plot {
  private readonly plot: uPlot;
  private readonly haze = new Haze();
  private axes: Axes;
  private x: Ticks = { at: [], words: [] };
  private y: Ticks = { at: [], words: [] };
  private picture: Picture = { grey: [], strokes: [], bands: [], exactSmooth: true };
  private after: ((at: Geometry) => void) | null = null;
  sizes: Sizes = { compact: false, labels: 0 };

  constructor(
    private readonly host: HTMLElement,
    width: number,
    height: number,
    axes: Axes,
    sizes: Sizes,
  ) {
    this.axes = axes;
    this.sizes = sizes;
    this.plot = new uPlot(this.options(width, height), [[0, 1], [null, null]], host);
  }

  private options(width: number, height: number): uPlot.Options {
    const share: uPlot.Scale = { time: false, auto: false, range: [0, 1] };
    const axis = (ticksOf: () => Ticks): uPlot.Axis => ({
      stroke: () => look().ink2,
      font: `${FONT}px ${look().family}`,
      gap: 4,
      space: 1,
      splits: () => ticksOf().at,
      values: () => ticksOf().words,
      filter: (_, splits) => splits,
      grid: { stroke: () => look().line, width: 1 },
      ticks: { show: false },
    });
    return {
      width,
      height,
      padding: [() => (this.sizes.compact ? 6 : 10), () => Math.max(this.sizes.labels, this.overhang()), 0, 0],
      legend: { show: false },
      cursor: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      scales: { x: share, y: share },
      axes: [
        { ...axis(() => this.x), grid: { show: false }, size: 18 },
        { ...axis(() => this.y), size: () => this.wordsWidth() },
      ],
      series: [{}, { scale: 'y', paths: () => null, points: { show: false } }],
      hooks: { draw: [(self) => this.paint(self.ctx)] },
    };
  }

  /** The widest word of the y axis, in steps of 8 so that zooming does not make the chart jump. */
  private wordsWidth(): number {
    const context = this.plot?.ctx as CanvasRenderingContext2D | undefined;
    const longest = this.y.words.reduce((a, b) => (b.length > a.length ? b : a), '');
    if (!context) return 48;
    context.font = `${FONT * devicePixelRatio}px ${look().family}`;
    const width = context.measureText(longest).width / devicePixelRatio + 8;
    return Math.max(this.sizes.compact ? 40 : 48, Math.ceil(width / 8) * 8);
  }

  /** How far the last word of the x axis stands out. */
  private overhang(): number {
    const last = this.x.words.at(-1) ?? '';
    const place = this.x.at.at(-1) ?? 0;
    return place > 0.95 ? Math.max(8, last.length * 3.2) : 8;
  }

  get over(): HTMLElement {
    return this.plot.over;
  }

  get canvas(): HTMLCanvasElement {
    return this.plot.ctx.canvas;
  }

  /** Where things are, by the last drawing. */
  geometry(): Geometry {
    const { left, top, width, height } = this.plot.bbox;
    const { window, span, logX, logY } = this.axes;
    return {
      box: { left, top, width, height },
      ratio: devicePixelRatio,
      window,
      span,
      px: placed(window, left, left + width, logX),
      py: placed(span, top + height, top, logY),
    };
  }

  tickSets(): { x: Ticks; y: Ticks; axes: Axes } {
    return { x: this.x, y: this.y, axes: this.axes };
  }

  resize(width: number, height: number): void {
    if (width === this.plot.width && height === this.plot.height) return;
    this.plot.setSize({ width, height });
  }

  draw(picture: Picture, axes: Axes, sizes: Sizes, after: (at: Geometry) => void): void {
    this.picture = picture;
    this.axes = axes;
    this.sizes = sizes;
    this.after = after;
    this.placeTicks();
    this.plot.redraw(false, true);
  }

  private placeTicks(): void {
    const { window, span, logX, logY, unitX } = this.axes;
    const { width, height } = this.plot;
    const across = Math.max(2, Math.floor((width - 60) / (unitX === 'time' ? 84 : 64)));
    const down = Math.max(2, Math.floor((height - 20) / (this.sizes.compact ? 24 : 40)));
    this.x = placedTicks(logX ? logTicks(window, across) : ticks(window, across, unitX), window, logX, unitX);
    this.y = placedTicks(logY ? logTicks(span, down) : ticks(span, down), span, logY, 'number');
  }

  private paint(context: CanvasRenderingContext2D): void {
    const at = this.geometry();
    context.save(); // uPlot remembers which styles it has set
    paintPicture(context, this.picture, at, look(), this.haze);
    context.restore();
    this.after?.(at);
  }

  destroy(): void {
    this.plot.destroy();
    this.host.replaceChildren();
  }
}

function placedTicks(values: number[], span: Span, log: boolean, unit: Unit): Ticks {
  const place = placed(span, 0, 1, log);
  return { at: values.map(place), words: tickWords(values, unit, log) };
}
