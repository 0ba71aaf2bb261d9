/** Pointer and wheel on a chart, told as what the reader means by them. */

export interface Meant {
  /** the pointer is at these CSS pixels of the plot, or has left */
  move: (at: { x: number; y: number } | null) => void;
  /** a stretch is being chosen, in CSS pixels; across: of x */
  choosing: (from: number, to: number, across: boolean) => void;
  /** it has been chosen; null: given up */
  chosen: (stretch: { from: number; to: number; across: boolean } | null) => void;
  /** the picture is dragged by so many CSS pixels since the last time */
  pan: (dx: number, dy: number) => void;
  /** nearer (below 1) or farther about a place */
  zoom: (factor: number, at: { x: number; y: number }) => void;
  /** what a click does now, where there is something to do */
  click: () => (() => void) | null;
  /** whether a second click would take a zoom back: the first then waits for it */
  resets: () => boolean;
  reset: () => void;
  /** whether a plain wheel zooms; else it scrolls the page, and Ctrl is needed */
  wheels: () => boolean;
}

const STILL = 4;
const TWICE_MS = 350;

/** Listen on the plot's area; gives what ends it. */
export function listenTo(area: HTMLElement, meant: Meant): () => void {
  let from: { x: number; y: number } | null = null;
  let last = { x: 0, y: 0 };
  let how: 'wait' | 'across' | 'down' | 'pan' = 'wait';
  let clicked_ms = Number.NEGATIVE_INFINITY;
  let waits: ReturnType<typeof setTimeout> | undefined;
  const ends = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(name: K, act: (event: HTMLElementEventMap[K]) => void): void =>
    area.addEventListener(name, act as EventListener, { signal: ends.signal, passive: false });
  const place = (event: MouseEvent): { x: number; y: number } => {
    const box = area.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  /** The first of two clicks must not do what one does where the second takes a zoom back. */
  function clicked(at_ms: number): void {
    const isSecond = at_ms - clicked_ms < TWICE_MS;
    clicked_ms = isSecond ? Number.NEGATIVE_INFINITY : at_ms;
    if (isSecond) {
      clearTimeout(waits);
      return meant.reset();
    }
    const act = meant.click();
    if (act && meant.resets()) waits = setTimeout(act, TWICE_MS);
    else act?.();
  }

  on('pointerdown', (event) => {
    if (event.button !== 0 && event.button !== 1) return;
    from = last = place(event);
    how = event.shiftKey || event.button === 1 || event.pointerType === 'touch' ? 'pan' : 'wait';
    if (event.pointerType !== 'touch') area.setPointerCapture(event.pointerId);
  });
  on('pointermove', (event) => {
    const at = place(event);
    meant.move(at);
    if (!from) return;
    const [dx, dy] = [at.x - from.x, at.y - from.y];
    if (how === 'pan') meant.pan(at.x - last.x, event.pointerType === 'touch' ? 0 : at.y - last.y);
    else if (how === 'wait' && Math.hypot(dx, dy) > STILL) how = Math.abs(dx) >= Math.abs(dy) ? 'across' : 'down';
    if (how === 'across') meant.choosing(from.x, at.x, true);
    if (how === 'down') meant.choosing(from.y, at.y, false);
    last = at;
  });
  on('pointerup', (event) => {
    if (!from) return;
    const at = place(event);
    if (Math.hypot(at.x - from.x, at.y - from.y) <= STILL) {
      meant.chosen(null);
      clicked(event.timeStamp);
    } else if (how === 'across') meant.chosen({ from: from.x, to: at.x, across: true });
    else if (how === 'down') meant.chosen({ from: from.y, to: at.y, across: false });
    from = null;
  });
  on('pointercancel', () => {
    from = null;
    meant.chosen(null);
  });
  on('pointerleave', () => {
    if (!from) meant.move(null);
  });
  on('wheel', (event) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !event.metaKey && !meant.wheels()) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    if (sideways) meant.pan(-event.deltaX * lines, 0);
    else meant.zoom(Math.exp(Math.max(-120, Math.min(120, event.deltaY * lines)) * 0.002), place(event));
  });
  return () => {
    ends.abort();
    clearTimeout(waits);
  };
}
