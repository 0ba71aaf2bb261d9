const PART = /(\d+)/;

/**
 * Order names as people count: `m2` before `m10`, letters alike in both cases.
 *
 * Not by `Intl.Collator`: to make the first one of a page takes the browser longer than to draw a table.
 */
export function naturally(a: string, b: string): number {
  const [left, right] = [a.toLowerCase().split(PART), b.toLowerCase().split(PART)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [one, other] = [left[i] ?? '', right[i] ?? ''];
    if (one === other) continue;
    const number = i % 2 === 1 ? Number(one) - Number(other) : 0; // every second part is digits
    return number || (one < other ? -1 : 1);
  }
  return left.length - right.length || (a < b ? -1 : Number(a > b));
}
