/** The chart as it stands as a PNG, with its name, what is drawn, and the names of its curves; drawn anew, as the screen's pixels are few. */
import type { Picture } from '../data/picture';
import { visible } from '../data/visible';
import { look } from './look';
import type { Plot } from './plot';
import { saveFile } from './save';

interface Drawing {
  plot: Plot;
  picture: Picture;
  words: string;
  labels: readonly { text: string; y: number; colour: string }[];
  frame: { metric: string };
}

const LINE = 18;
const WIDTH_MIN = 1200;
const RATIO_MIN = 2;

export function chartPng(drawing: Drawing | null, name: string): void {
  if (!drawing) return;
  const across = drawing.plot.canvas.width / drawing.plot.geometry().ratio;
  const ratio = Math.max(RATIO_MIN, devicePixelRatio, WIDTH_MIN / across);
  const plot = drawing.plot.again(drawing.picture, ratio);
  const { box } = plot.geometry();
  const theLook = look();
  const sheet = document.createElement('canvas');
  const context = sheet.getContext('2d');
  if (!context) return;
  context.font = `12px ${theLook.family}`;
  const lines = wrapped(drawing.words, across - 16, (text) => context.measureText(text).width);
  const head = 10 + LINE * (1 + lines.length);
  Object.assign(sheet, { width: plot.canvas.width, height: plot.canvas.height + Math.round(head * ratio) });
  context.fillStyle = theLook.paper;
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.drawImage(plot.canvas, 0, Math.round(head * ratio));
  plot.destroy();
  context.scale(ratio, ratio);
  context.fillStyle = theLook.ink;
  context.font = `600 13px ${theLook.family}`;
  context.fillText(visible(drawing.frame.metric), 8, LINE, across - 16);
  context.font = `12px ${theLook.family}`;
  context.fillStyle = theLook.ink2;
  lines.forEach((line, i) => context.fillText(line, 8, LINE * (i + 2)));
  for (const { text, y, colour } of drawing.labels) {
    const x = (box.left + box.width) / ratio + 6;
    context.fillStyle = colour;
    context.fillRect(x, y + head - 1, 10, 2);
    context.fillStyle = theLook.ink;
    context.fillText(cutTo(text, across - x - 18, (each) => context.measureText(each).width), x + 16, y + head + 4);
  }
  sheet.toBlob((bytes) => bytes && saveFile(`${name}.png`, bytes));
}

type Measure = (text: string) => number;

/** Break words at their dots into lines that fit. */
function wrapped(words: string, width: number, measure: Measure): string[] {
  const lines: string[] = [];
  for (const word of words.split(' · ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} · ${word}` : word;
    if (lines.length > 0 && measure(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(cutTo(word, width, measure));
  }
  return lines;
}

/** Shorten a text that is too long, and show that it was. */
function cutTo(text: string, width: number, measure: Measure): string {
  if (measure(text) <= width) return text;
  const signs = [...text];
  while (signs.length > 0 && measure(`${signs.join('')}…`) > width) signs.pop();
  return `${signs.join('')}…`;
}
