/** What lies over a chart and follows the pointer: the cursor, the curve in front, the stretch being chosen. */
import type { Reading } from '../data/pointing';
import type { Stroke } from '../data/picture';
import { colourAt, type Look } from './look';
import { paintStroke, type Geometry } from './paint';

export interface Over {
  cursor: number | null;
  front: Stroke | null;
  dots: readonly (Reading & { place: number | null })[];
  /** in device pixels */
  chosen: { from: number; to: number; across: boolean } | null;
}

/** Draw it anew on a canvas of its own, so that the curves beneath stay as they are. */
export function paintOver(context: CanvasRenderingContext2D, over: Over, at: Geometry, look: Look): void {
  const { box, ratio, px, py } = at;
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  if (over.chosen) {
    const { from, to, across } = over.chosen;
    context.fillStyle = look.accent;
    context.globalAlpha = 0.15;
    if (across) context.fillRect(Math.min(from, to), box.top, Math.abs(to - from), box.height);
    else context.fillRect(box.left, Math.min(from, to), box.width, Math.abs(to - from));
    context.globalAlpha = 1;
  }
  if (over.cursor !== null) {
    const x = Math.round(px(over.cursor)) + 0.5;
    context.strokeStyle = look.ink3;
    context.lineWidth = ratio;
    context.beginPath();
    context.moveTo(x, box.top);
    context.lineTo(x, box.top + box.height);
    context.stroke();
  }
  context.lineJoin = context.lineCap = 'round';
  if (over.front) {
    paintStroke(context, { ...over.front, raw: null, curve: { ...over.front.curve, low: null, high: null } }, at, { ...look, colours: look.colours.map(() => look.paper), rest: look.paper }, 5);
    paintStroke(context, over.front, at, { ...look, rest: look.ink }, 2.25);
  }
  for (const { x, value, place } of over.dots) {
    context.beginPath();
    context.arc(px(x), py(value), 3 * ratio, 0, 7);
    context.fillStyle = place === null ? look.ink : colourAt(look, place);
    context.strokeStyle = look.paper;
    context.lineWidth = 1.5 * ratio;
    context.fill();
    context.stroke();
  }
  context.restore();
}
