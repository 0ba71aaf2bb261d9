"""The store's own events, in `<store>/journal`: what is said of no single run, as the name of an experiment.

The same format and order as in a run; each teller writes a journal of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from runfolio.errors import Unreadable
from runfolio.journal.frame import SUFFIX
from runfolio.journal.scan import events, opening, scan
from runfolio.model.events import Event
from runfolio.model.ids import is_id
from runfolio.store.edits import append
from runfolio.store.layout import Layout


def tell(layout: Layout, *bodies: Mapping[str, Any]) -> str:
    """Append events to the store's own, later than all that are there whatever the clock says; return the id of their journal.

    Raises:
        OSError: the store cannot be written.
    """
    before = store_events(layout)
    opening = {"run": None, "attempt": 1, "rank": None, "role": "store"}
    return append(layout.journal, opening, bodies, after_ns=before[-1].time_ns if before else 0)


def store_events(layout: Layout) -> list[Event]:
    """Read the store's own events, in their order. What cannot be read is left out; verify tells of it."""
    found: list[Event] = []
    for path in own_journals(layout):
        found += _read(path)
    return sorted(found, key=lambda event: event.order_key)


def own_journals(layout: Layout) -> list[str]:
    """Give the paths of the store's own journals."""
    try:
        names = sorted(os.listdir(layout.journal))
    except OSError:
        return []
    return [
        os.path.join(layout.journal, name) for name in names if name.endswith(SUFFIX) and is_id(name[: -len(SUFFIX)])
    ]


def _read(path: str) -> list[Event]:
    try:
        with open(path, "rb") as file:
            found = scan(file.read(), os.path.basename(path)[: -len(SUFFIX)])
    except (OSError, Unreadable, MemoryError):
        return []
    role = str(opening(found).get("role", ""))
    return [Event(body, good.time_ns or 0, 1, found.journal_id, good.seq, None, role) for good, body in events(found)]
