"""What the app will ask first: made ready while the browser starts, and told to it with the page, so that the answer comes while the app's code
is still being read.

Source: HTML Living Standard, "preload"; RFC 8288 for the header. The addresses must be, letter by letter, those that ui/src/api/client.ts makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from runfolio.query.store import Store

FIRST_ROWS = 40
"""Of the table: as many as the app takes at a time."""
_CHOSEN = frozenset((b"q", b"show", b"sort", b"by", b"cols"))
"""With any of these in its address the page of runs asks something else."""


def asked_ahead(parts: Sequence[str], query: bytes, stores: Sequence[str]) -> list[tuple[str, str]]:
    """Give the headers of a page.

    Args:
        parts: of its address; none for the first page, which shows the first store.
    """
    if not stores or (parts and (parts[0] not in stores or parts[1:] != ["runs"])):
        return []
    asked = [] if parts else ["stores"]
    if _CHOSEN.isdisjoint(part.partition(b"=")[0] for part in query.split(b"&")):
        asked.append(f"stores/{quote(parts[0] if parts else stores[0], safe='')}/overview?rows={FIRST_ROWS}")
    return [("Link", f"</api/v1/{one}>; rel=preload; as=fetch; crossorigin") for one in asked]


def ready(store: Store) -> None:
    """Find out what the first page of a store asks, so that it is remembered.

    For 10,000 runs that is half a second of work, and a browser takes as long to start.
    """
    from runfolio.server.routes import overview  # not before the server listens

    overview.overview_of(store, overview.OverviewAsked(rows=FIRST_ROWS))
