/** Where the reader is: the address, as state that components follow. */
import { carried, format, parse, type ViewState } from './url';

class Place {
  now = $state.raw<ViewState>(parse(location.pathname, location.search));
}

export const place = new Place();

addEventListener('popstate', () => {
  place.now = carried(place.now, parse(location.pathname, location.search));
});

/** Change the state and its address. `push` where the back button should return here, `replace` for what flows (typing, zooming). */
export function go(changes: Partial<ViewState>, how: 'push' | 'replace' = 'push'): void {
  const next = { ...place.now, ...changes };
  const address = format(next);
  if (address !== location.pathname + location.search) {
    history[how === 'push' ? 'pushState' : 'replaceState'](null, '', address);
  }
  place.now = next;
}

/** The address of a change, for links. */
export function hrefOf(changes: Partial<ViewState>): string {
  return format({ ...place.now, ...changes });
}

/** Follow a plain click on a link of ours without loading the page anew; anything else is the browser's. */
export function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.('a');
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (link.pathname.startsWith('/api/')) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  place.now = carried(place.now, parse(link.pathname, link.search));
}
