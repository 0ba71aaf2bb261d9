/** Curves less the baseline's, at each of their own steps. Pure. */
import type { Curve, Frame, Values } from '../../data/frames';

/** Give a frame in which each curve is its distance from one of them; null where that one is not there.
 *
 * Between two points of the baseline its value is taken on the line between them; before its first and after its last, and in its gaps,
 * there is nothing to subtract: a gap.
 */
export function minusBaseline(frame: Frame, baseline: string): Frame | null {
  const base = frame.curves.find((curve) => curve.id === baseline);
  if (!base) return null;
  const curves = frame.curves.map((curve) => less(curve, base));
  return { ...frame, curves, bands: [], words: `${frame.words} · minus the baseline` };
}

function less(curve: Curve, base: Curve): Curve {
  const at = reader(base);
  const minus = (values: Values | null): Values | null => values && Float64Array.from(values, (value, place) => value - at(curve.x[place]!));
  return { ...curve, y: minus(curve.y)!, low: minus(curve.low), high: minus(curve.high), smooth: minus(curve.smooth), marks: [], final: null };
}

/** Read a curve at places that come in order. */
function reader({ x, y }: Curve): (wanted: number) => number {
  let place = 0;
  return (wanted) => {
    if (place >= x.length || x[place]! > wanted) place = 0;
    while (place + 1 < x.length && x[place + 1]! <= wanted) place++;
    if (x.length === 0 || wanted < x[0]! || wanted > x[x.length - 1]!) return Number.NaN;
    const [left, right] = [x[place]!, x[place + 1]];
    if (left === wanted || right === undefined) return y[place]!;
    return y[place]! + ((y[place + 1]! - y[place]!) * (wanted - left)) / (right - left);
  };
}
