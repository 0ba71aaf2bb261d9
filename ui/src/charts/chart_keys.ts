/** The keys of a chart that has the focus, told as what the reader means by them. */

export interface Keyed {
  /** by a share of the window */
  pan: (share: number) => void;
  stepCursor: (by: number) => void;
  stepCurve: (by: number) => void;
  zoom: (factor: number) => void;
  reset: () => void;
  /** fill the window or not; without a word the other of both */
  full: (on?: boolean) => void;
  isFull: () => boolean;
  hide: () => void;
  alone: () => void;
  menu: () => void;
  pick: () => void;
}

const NEARER = 0.7;

const ACTS: Record<string, (meant: Keyed) => void> = {
  ArrowLeft: (meant) => meant.pan(-0.1),
  ArrowRight: (meant) => meant.pan(0.1),
  'Shift+ArrowLeft': (meant) => meant.stepCursor(-1),
  'Shift+ArrowRight': (meant) => meant.stepCursor(1),
  ArrowUp: (meant) => meant.stepCurve(-1),
  ArrowDown: (meant) => meant.stepCurve(1),
  '+': (meant) => meant.zoom(NEARER),
  '=': (meant) => meant.zoom(NEARER),
  '-': (meant) => meant.zoom(1 / NEARER),
  '0': (meant) => meant.reset(),
  f: (meant) => meant.full(),
  h: (meant) => meant.hide(),
  s: (meant) => meant.alone(),
  e: (meant) => meant.menu(),
  Enter: (meant) => meant.pick(),
};

/** Do what a key means; any other is left to the page. */
export function chartKey(event: KeyboardEvent, meant: Keyed): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const name = event.shiftKey && event.key.startsWith('Arrow') ? `Shift+${event.key}` : event.key;
  if (name === 'Escape' && meant.isFull()) meant.full(false);
  else if (ACTS[name]) ACTS[name](meant);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
