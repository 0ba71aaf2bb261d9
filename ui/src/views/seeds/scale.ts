/** Round ticks of a small axis. Pure. */

/** Give at most about so many round numbers inside a span: steps of 1, 2 or 5. */
export function ticksOf([low, high]: readonly [number, number], count: number): number[] {
  const room = high - low;
  if (!(room > 0) || !Number.isFinite(room)) return [];
  const rough = room / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const first = Math.ceil(low / step);
  const ticks: number[] = [];
  for (let at = first; at * step <= high && ticks.length < 100; at++) ticks.push(digits < 20 ? Number((at * step).toFixed(digits)) : at * step);
  return ticks;
}
