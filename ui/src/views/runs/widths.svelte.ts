/** How wide columns are: by what stands in them, until the reader pulls at one. Kept in this browser, as no one else cares. */
const KEY = 'runfolio.widths';
export const WIDTH_MIN = 44;
const WIDTH_MAX = 600;
const LETTER = 7.1;

class Widths {
  private kept = $state<Record<string, number>>(read());

  of(key: string, proposed: number): number {
    return this.kept[key] ?? proposed;
  }

  isKept(key: string): boolean {
    return key in this.kept;
  }

  set(key: string, width: number | null): void {
    if (width === null) delete this.kept[key];
    else this.kept[key] = Math.round(Math.max(WIDTH_MIN, Math.min(WIDTH_MAX, width)));
    localStorage.setItem(KEY, JSON.stringify(this.kept));
  }
}

function read(): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, number>;
  } catch {
    return {};
  }
}

/** Wide enough for what was seen, within reason. */
export function proposedWidth(header: number, cells: number): number {
  return Math.round(Math.max(60, Math.min(190, Math.max(Math.min(header, 15) * LETTER + 26, cells * LETTER + 18))));
}

export const widths = new Widths();
