"""Render the views that a run asked for."""

from __future__ import annotations

import os
import time

from runfolio.convert.put import Putter, alone_in
from runfolio.convert.view import Snapshot, renderer, snapshot
from runfolio.store.layout import Layout

LEAST_S = 1.0
SHARE = 50  # a view may take one part in so many of the time


def render(layout: Layout, run_id: str, putter: Putter | None = None) -> list[str]:
    """Render all views of a run as it stands; return what there is to tell of them.

    Raises:
        OSError: a file cannot be written.
    """
    return render_all(snapshot(layout, run_id), putter or Putter(layout))


def render_all(snapshot: Snapshot, putter: Putter) -> list[str]:
    """Render all views of a snapshot. A view that cannot be rendered keeps no other from it; the first trouble is raised at the end."""
    known, troubles = set(putter.beside), []
    for view in snapshot.state.views:
        try:
            # Several runs may share a folder's index: what it is made of is read while no other companion writes there.
            with alone_in(view.path if os.path.isdir(view.path) else ""):
                for file in renderer(view.what)(snapshot, view.path, view.options):
                    putter.put(file)
        except Exception as failed:
            troubles.append(failed)
    if troubles:
        raise troubles[0]
    new = sorted(set(putter.beside) - known)
    return [
        f"{path} is not ours, or was changed: it stays as it is, and the run's is {putter.beside[path]}" for path in new
    ]


class Pace:
    """How stale a view may be: at most a second, or fifty times what the last rendering took."""

    def __init__(self) -> None:
        self._next = 0.0

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def took(self, seconds: float) -> None:
        self._next = time.monotonic() + max(LEAST_S, SHARE * seconds)
