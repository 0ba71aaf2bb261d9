/** Light or dark: what the system says, until the reader chooses. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'runfolio.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const paper = matchMedia('print');

export function chosenTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

function wear(): void {
  const chosen = chosenTheme();
  const isDark = !paper.matches && (chosen === 'system' ? dark.matches : chosen === 'dark');
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  dispatchEvent(new Event('themechange')); // canvases draw anew
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  wear();
}

/** Set the theme and follow the system from here on; on paper it is always light. */
export function dressed(): void {
  wear();
  dark.addEventListener('change', wear);
  paper.addEventListener('change', wear);
}
