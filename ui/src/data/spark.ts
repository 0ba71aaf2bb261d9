/** The path of a curve as small as a word, within `width` × `height` px; null, NaN and infinities are gaps. */
export function sparkPath(points: readonly (number | null)[], width: number, height: number): string {
  const fine = points.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  const [low, high] = [Math.min(...fine), Math.max(...fine)];
  const y = (value: number): number => (high > low ? height - 2 - ((value - low) / (high - low)) * (height - 4) : height / 2);
  let text = '';
  let pen = 'M';
  points.forEach((value, i) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) pen = 'M';
    else {
      text += `${pen}${(1 + (i / Math.max(1, points.length - 1)) * (width - 2)).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = 'L';
    }
  });
  return text;
}
