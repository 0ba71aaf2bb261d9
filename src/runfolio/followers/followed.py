"""One run that is followed: its views and its sinks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from runfolio.convert.put import Putter
from runfolio.convert.view import snapshot_of, status_of
from runfolio.followers.rendering import Pace, render_all
from runfolio.model.states import RUNNING
from runfolio.store.follow import Entry, Follower
from runfolio.store.layout import Layout

if TYPE_CHECKING:
    from runfolio.followers.feeding import Feeding

Tell = Callable[[str], None]


class Followed:
    """Renders and feeds what is new, a little behind; and exactly when asked, and at the end.

    Contract: for one thread. Nothing raises: trouble is told.
    """

    def __init__(self, layout: Layout, run_id: str, tell: Tell) -> None:
        self._layout, self._run_id = layout, run_id
        self._follower = Follower(layout, run_id)
        self._putter = Putter(layout)
        self._pace = Pace()
        self._feeding: Feeding | None = None
        self._unfed: list[Entry] = []
        self._tell = tell
        self._stale = True
        self.ended = False

    def look(self) -> None:
        """Take in what is new; render where it is due; see whether the run has ended."""
        self._take()
        status, reason = status_of(self._follower.files)
        self.ended = status != RUNNING
        if self.ended:
            self.exact()
            self._end_sinks(status, reason)
        elif self._stale and self._pace.due():
            self._render()

    def exact(self) -> bool:
        """Render as of now; False where that cannot be."""
        self._take()
        return self._render() if self._stale else True

    def begin_again(self) -> None:
        """Go on after an end: a handle in the script writes to the run once more."""
        self.ended = False

    def _take(self) -> None:
        new = self._follower.poll()
        self._stale = self._stale or bool(new)
        self._unfed += new
        sinks = self._follower.state.sinks
        if sinks and self._feeding is None:
            from runfolio.followers.feeding import Feeding  # here: most runs have no sink

            self._feeding = Feeding(self._layout, self._run_id, self._tell)
        if self._feeding is not None:
            self._feeding.take(self._unfed, self._follower.state)
            self._unfed = []

    def _end_sinks(self, status: str, reason: str | None) -> None:
        if self._feeding is not None:
            self._feeding.close(status, reason)
        self._unfed = []

    def wait(self) -> None:
        """Wait until the sinks have taken all, or were given up on."""
        if self._feeding is not None:
            self._feeding.wait()

    def _render(self) -> bool:
        began = time.monotonic()
        try:
            for told in render_all(snapshot_of(self._follower.files), self._putter):
                self._tell(told)
            self._stale = False
        except Exception as failed:
            self._tell(f"the files of run {self._run_id[:8]} cannot be written: {type(failed).__name__}: {failed}")
        self._pace.took(time.monotonic() - began)
        return not self._stale
