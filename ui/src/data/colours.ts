/**
 * Colours of runs: 30 that can be told apart, given out once each and never again; the rest is grey.
 *
 * Source: the first are those of Okabe and Ito, Color Universal Design (2008), and Tol's, darkened until they stand
 * 3:1 against white (WCAG 2.2, 1.4.11); each further one is the farthest from all before it in OKLab, as seen by
 * common and by colour-blind eyes. The dark ones are found the same way on our dark paper.
 */
export const LIGHT: readonly string[] = (
  '0072b2 d55e00 009e73 c0609a 882255 a87500 3a8fc9 04510e 3b259d a73a1b 285269 8c36a4 31724d ae6fe8 75220a ' +
  '8d6069 b48679 616ae2 7f9600 611c74 cf3f50 474f9a 4d848e 6c550a b43481 588cff 159425 985cba ea5974 396b7c'
)
  .split(' ')
  .map((hex) => `#${hex}`);

export const DARK: readonly string[] = (
  '4ba3e3 f08a4b 2fc79a e08fbd a79bf0 e6b422 b1dffa 40970f d54563 72f896 ab56c4 548c85 4779ea ecc0a9 b07022 ' +
  'b2769c 91a160 f1b0f7 e4df2c 17eace 87bacd 73cb51 657fb6 e66d75 bcb286 4aaaa6 d469cc a07dfb 6cae1b c0d67a'
)
  .split(' ')
  .map((hex) => `#${hex}`);

/** As many curves have a colour of their own. */
export const COLOURS_MAX = LIGHT.length;

/**
 * Give each run a place among the colours: those that have one keep it, new ones take the first that is free, in the
 * order given. Who comes when all are taken gets none.
 */
export function assigned(before: ReadonlyMap<string, number>, wanted: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  const taken = new Set<number>();
  for (const id of wanted) {
    const place = before.get(id);
    if (place === undefined || found.has(id)) continue;
    found.set(id, place);
    taken.add(place);
  }
  let free = 0;
  for (const id of wanted) {
    if (found.has(id)) continue;
    while (taken.has(free)) free++;
    if (free >= COLOURS_MAX) break;
    found.set(id, free);
    taken.add(free);
  }
  return found;
}
