"""What the app will ask first, told to the browser with the page: so the answer comes while the app's code is still being read.

Source: HTML Living Standard, "preload"; RFC 8288 for the header. The addresses must be, letter by letter, those that ui/src/api/client.ts makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

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
