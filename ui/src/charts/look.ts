/** The theme as a canvas needs it: colours as text and numbers, read once and anew when the theme changes. */
import { DARK, LIGHT } from '../data/colours';

export interface Look {
  dark: boolean;
  paper: string;
  ink: string;
  ink2: string;
  ink3: string;
  line: string;
  accent: string;
  family: string;
  colours: readonly string[];
  /** of what has no colour of its own */
  rest: string;
  restRgb: readonly [number, number, number];
}

let kept: Look | null = null;
const listeners = new Set<() => void>();

function rgb(hex: string): readonly [number, number, number] {
  const digits = /^#([0-9a-f]{6})$/i.exec(hex.trim())?.[1] ?? '808080';
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16)) as [number, number, number];
}

export function look(): Look {
  if (kept) return kept;
  const style = getComputedStyle(document.documentElement);
  const token = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const dark = document.documentElement.dataset['theme'] === 'dark';
  const ink2 = token('--ink-2', '#59616b');
  kept = {
    dark,
    paper: token('--paper', '#ffffff'),
    ink: token('--ink', '#16191d'),
    ink2,
    ink3: token('--ink-3', '#8b939d'),
    line: token('--line', '#e3e6ea'),
    accent: token('--accent', '#1f5fbf'),
    family: token('--font', 'sans-serif'),
    colours: dark ? DARK : LIGHT,
    rest: token('--run-rest', '#8b939d'),
    restRgb: rgb(token('--run-rest', '#8b939d')),
  };
  return kept;
}

/** The colour at a place of the palette; grey where there is none. */
export const colourAt = (of: Look, place: number | null | undefined): string => (place === null || place === undefined ? of.rest : (of.colours[place] ?? of.rest));

/** Call when the theme changes, until the returned function is called. */
export function onLook(change: () => void): () => void {
  listeners.add(change);
  return () => listeners.delete(change);
}

addEventListener('themechange', () => {
  kept = null;
  for (const each of listeners) each();
});
