/** Characters that would not show, or would change how others show, as text that does. */

export interface Piece {
  text: string;
  /** Stands for a character that is not shown as itself. */
  odd: boolean;
}

// C0 but tab and line feed, DEL, C1, bidi marks and overrides, zero-width joints, line and paragraph separators, BOM, lone surrogates.
const ODD =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const MARKS_MAX = 8;
const MANY_MARKS = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, 'gu');

/** Split text so that each character which would not show is named: `\u202e`. Towers of combining marks are cut. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let rest = text.replace(MANY_MARKS, '$1');
  for (;;) {
    const at = rest.search(ODD);
    if (at < 0) break;
    if (at > 0) found.push({ text: rest.slice(0, at), odd: false });
    found.push({ text: named(rest.charCodeAt(at)), odd: true });
    rest = rest.slice(at + 1);
  }
  if (rest) found.push({ text: rest, odd: false });
  return found;
}

/** Give text in which every character shows, for where there is only room for a string. */
export function visible(text: string): string {
  return ODD.test(text) || MANY_MARKS.test(text)
    ? pieces(text)
        .map((one) => one.text)
        .join('')
    : text;
}

function named(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
