/**
 * Which run has which colour, for the whole page: table, charts and read-outs ask here.
 *
 * `palette.want([...ticked, ...others])` gives places to the first 30; a run keeps its place while it is wanted.
 * `palette.of(id)` is its colour in the theme of the moment, grey where it has none. Ids may be cut to 8 digits.
 */
import { assigned } from '../data/colours';
import { short } from '../data/picture';
import { colourAt, look, onLook } from './look';

class Palette {
  places = $state.raw<ReadonlyMap<string, number>>(new Map());
  private theme = $state(0);

  constructor() {
    onLook(() => this.theme++);
  }

  want(ids: readonly string[]): void {
    const next = assigned(this.places, [...new Set(ids.map(short))]);
    const same = next.size === this.places.size && [...next].every(([id, place]) => this.places.get(id) === place);
    if (!same) this.places = next;
  }

  of(id: string): string {
    void this.theme;
    return colourAt(look(), this.places.get(short(id)));
  }

  has(id: string): boolean {
    return this.places.has(short(id));
  }
}

export const palette = new Palette();
