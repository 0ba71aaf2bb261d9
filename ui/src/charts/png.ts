/** The chart as it stands as a PNG, with its name, what is drawn, and the names of its curves. */
import { look } from './look';
import type { Plot } from './plot';
import { saveFile } from './save';

interface Drawing {
  plot: Plot;
  words: string;
  labels: readonly { text: string; y: number; colour: string }[];
  frame: { metric: string };
}

const HEAD = 28;

export function chartPng(drawing: Drawing | null, name: string): void {
  if (!drawing) return;
  const { canvas } = drawing.plot;
  const { box, ratio } = drawing.plot.geometry();
  const theLook = look();
  const sheet = Object.assign(document.createElement('canvas'), { width: canvas.width, height: canvas.height + HEAD * ratio });
  const context = sheet.getContext('2d');
  if (!context) return;
  context.fillStyle = theLook.paper;
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.drawImage(canvas, 0, HEAD * ratio);
  context.scale(ratio, ratio);
  context.fillStyle = theLook.ink;
  context.font = `600 13px ${theLook.family}`;
  context.fillText(drawing.frame.metric, 8, 19);
  const after = context.measureText(drawing.frame.metric).width + 16;
  context.font = `12px ${theLook.family}`;
  context.fillStyle = theLook.ink2;
  context.fillText(drawing.words, after, 19);
  for (const { text, y, colour } of drawing.labels) {
    const x = (box.left + box.width) / ratio + 6;
    context.fillStyle = colour;
    context.fillRect(x, y + HEAD - 1, 10, 2);
    context.fillStyle = theLook.ink;
    context.fillText(text, x + 16, y + HEAD + 4);
  }
  sheet.toBlob((bytes) => bytes && saveFile(`${name}.png`, bytes));
}
