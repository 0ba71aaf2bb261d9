/** The picture of a chart as an SVG of its own, with the words that say what is drawn. */
import { marked } from './density';
import type { Curve, Values } from './frames';
import { DOT, onlyOne, SvgPen, traceLine, traceShade } from './outline';
import type { Picture } from './picture';
import { placed, type Span } from './scales';

export interface SvgSheet {
  width: number;
  height: number;
  title: string;
  words: string;
  window: Span;
  span: Span;
  logX: boolean;
  logY: boolean;
  /** places from 0 to 1, and their words */
  ticksX: { at: number[]; words: string[] };
  ticksY: { at: number[]; words: string[] };
  labels: { y: number; text: string; colour: string }[];
  colourOf: (place: number | null) => string;
  paper: string;
  ink: string;
  quiet: string;
  line: string;
  grey: number;
}

const TOP = 30;
const LEFT = 60;
const RIGHT = 130;
const BOTTOM = 24;

/** Write text so that no markup can begin in it. */
export const escaped = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '�').replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Write the picture as SVG. */
export function asSvg(picture: Picture, sheet: SvgSheet): string {
  const { width, height, window, ink, quiet, line, colourOf } = sheet;
  const [bottom, right] = [height - BOTTOM, width - (sheet.labels.length > 0 ? RIGHT : 16)];
  const px = placed(window, LEFT, right, sheet.logX);
  const py = placed(sheet.span, bottom, TOP, sheet.logY);
  const path = (d: string, more: string): string => (d === '' ? '' : `<path d="${d}" ${more}/>`);
  const stroke = (curve: Curve, y: Values, colour: string, wide: number, alpha = 1): string => {
    const pen = new SvgPen();
    traceLine(curve, y, window, px, py, pen);
    return path(pen.text, `fill="none" stroke="${colour}" stroke-width="${wide}"${alpha < 1 ? ` stroke-opacity="${alpha}"` : ''}`);
  };
  const only = (x: Float64Array, y: Values, colour: string): string => {
    const i = onlyOne(y);
    if (i < 0) return '';
    const [across, down] = [px(x[i] as number), py(y[i] as number)];
    return Number.isFinite(across + down) ? `<circle cx="${across.toFixed(1)}" cy="${down.toFixed(1)}" r="${DOT}" fill="${colour}"/>` : '';
  };
  const shade = (x: Float64Array, low: Values, high: Values, colour: string, alpha: number, gap?: (i: number) => boolean): string => {
    const pen = new SvgPen();
    traceShade(x, low, high, window, px, py, pen, gap);
    return path(pen.text, `fill="${colour}" fill-opacity="${alpha}"`);
  };
  const parts: string[] = [];
  sheet.ticksY.at.forEach((at, i) => {
    const y = bottom - at * (bottom - TOP);
    parts.push(`<path d="M${LEFT} ${y.toFixed(1)}H${right}" stroke="${line}"/>`);
    parts.push(`<text x="${LEFT - 6}" y="${(y + 4).toFixed(1)}" text-anchor="end" fill="${quiet}">${escaped(sheet.ticksY.words[i] ?? '')}</text>`);
  });
  sheet.ticksX.at.forEach((at, i) => {
    const x = LEFT + at * (right - LEFT);
    parts.push(`<text x="${x.toFixed(1)}" y="${height - 8}" text-anchor="middle" fill="${quiet}">${escaped(sheet.ticksX.words[i] ?? '')}</text>`);
  });
  parts.push('<g clip-path="url(#plot)" stroke-linejoin="round" stroke-linecap="round">');
  for (const { band, place } of picture.bands) parts.push(shade(band.x, band.low, band.high, place === null ? ink : colourOf(place), place === null ? 0.07 : 0.16));
  for (const { curve, y } of picture.grey) parts.push(stroke(curve, y, quiet, 1, sheet.grey));
  for (const { band, centre, place } of picture.bands) {
    const middle: Curve = { id: '', x: band.x, y: band.centre, low: null, high: null, smooth: null, points: 0, thinned: true, marks: [], final: null };
    const colour = place === null ? ink : colourOf(place);
    parts.push(stroke(middle, centre, colour, 1.5), only(band.x, centre, colour));
  }
  for (const { curve, y, raw, place, strong } of picture.strokes) {
    const colour = colourOf(place);
    if (curve.low && curve.high) parts.push(shade(curve.x, curve.low, curve.high, colour, 0.2, (i) => marked(curve, i)));
    if (raw) parts.push(stroke(curve, raw, colour, 1, 0.3));
    parts.push(stroke(curve, y, colour, strong ? 1.75 : 1.25), only(curve.x, y, colour));
  }
  parts.push('</g>');
  for (const { y, text, colour } of sheet.labels) {
    const at = TOP + y * (bottom - TOP);
    parts.push(`<path d="M${right + 6} ${at.toFixed(1)}h8" stroke="${colour}" stroke-width="2"/>`);
    parts.push(`<text x="${right + 18}" y="${(at + 4).toFixed(1)}" fill="${ink}">${escaped(text)}</text>`);
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="11">`,
    `<title>${escaped(sheet.title)}</title><desc>${escaped(sheet.words)}</desc>`,
    `<clipPath id="plot"><rect x="${LEFT}" y="${TOP}" width="${right - LEFT}" height="${bottom - TOP}"/></clipPath>`,
    `<rect width="${width}" height="${height}" fill="${sheet.paper}"/>`,
    `<text x="${LEFT - 48}" y="18" fill="${ink}" font-weight="600">${escaped(sheet.title)}<tspan font-weight="400" fill="${quiet}" dx="8">${escaped(sheet.words)}</tspan></text>`,
    ...parts.filter(Boolean),
    '</svg>',
    '',
  ].join('\n');
}
