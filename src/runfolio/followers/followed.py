"""One run that is followed: its views and its sinks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from runfolio.convert.put import Putter
from runfolio.convert.view import launcher_lives, snapshot_of, status_of
from runfolio.followers.rendering import Pace, render_all
from runfolio.model.states import RUNNING
from runfolio.store import spool
from runfolio.store.follow import Follower
from runfolio.store.layout import Layout
from runfolio.store.run_files import RunFiles, journal_files

if TYPE_CHECKING:
    from runfolio.followers.feeding import Feeding

Tell = Callable[[str], None]
_Marks = list[tuple[str, int]]


class Followed:
    """Renders and feeds what is new, a little behind; and exactly when asked, and at the end.

    Contract: for one thread. Nothing raises: trouble is told.
    """

    def __init__(self, layout: Layout, run_id: str, tell: Tell) -> None:
        self._layout, self._run_id = layout, run_id
        self._putter = Putter(layout)
        self._pace = Pace()
        self._feeding: Feeding | None = None
        self._tell = tell
        self._stale = True
        self._shown: str | None = None  # the status in the files
        self._rendering_s = 0.0
        self._left: _Marks | None = None  # how the journals were when the run had ended, and was let go of
        self._open()
        self.ended = False

    def _open(self) -> None:
        self._files = RunFiles(self._layout, self._run_id)
        self._follower: Follower | None = None  # where there are sinks: views are rendered from the whole

    def look(self) -> float:
        """Take in what is new; render where it is due; see whether the run has ended. Return how long the rendering took."""
        self._rendering_s = 0.0
        try:
            self._look()
        except Exception as failed:
            self._tell(f"run {self._run_id[:8]} cannot be followed: {type(failed).__name__}: {failed}")
        return self._rendering_s

    def _look(self) -> None:
        if self._left is not None and self._left == _marks(self._files):
            self.ended = True
            return
        self._take()
        status, reason = status_of(self._files)
        self._stale = self._stale or status != self._shown
        self.ended = status != RUNNING and not launcher_lives(self._files)
        if self.ended:
            self.exact()
            self._end_sinks(status, reason)
            self._let_go()
        elif self._stale and self._pace.due():
            self._render()

    def exact(self) -> bool:
        """Render as of now; False where that cannot be."""
        try:
            self._take()
        except Exception as failed:
            self._tell(f"run {self._run_id[:8]} cannot be read: {type(failed).__name__}: {failed}")
            return False
        return self._render() if self._stale else True

    def begin_again(self) -> None:
        """Go on after an end: a handle in the script writes to the run once more."""
        self.ended = False

    def _take(self) -> None:
        self._left = None
        changed = self._files.refresh()
        self._stale = self._stale or changed
        if self._files.state.sinks and self._feeding is None:
            from runfolio.followers.feeding import Feeding  # here: most runs have no sink

            self._feeding = Feeding(self._layout, self._run_id, self._tell)
        if self._feeding is not None:
            if self._follower is None:
                self._follower, changed = Follower(self._layout, self._run_id, self._files), True
            self._feeding.take(self._follower.new() if changed else [], self._files)

    def _let_go(self) -> None:
        """Give the memory of a run that has ended back: a script may have thousands. It is read anew where it goes on."""
        if all(journal.closed for journal in self._files.journals):
            self._left = _marks(self._files)
            self._open()

    def _end_sinks(self, status: str, reason: str | None) -> None:
        if self._feeding is not None:
            self._feeding.close(status, reason)

    def wait(self) -> None:
        """Wait until the sinks have taken all, or were given up on."""
        if self._feeding is not None:
            self._feeding.wait()

    def _render(self) -> bool:
        began = time.monotonic()
        try:
            snapshot = snapshot_of(self._files)
            for told in render_all(snapshot, self._putter):
                self._tell(told)
            self._stale, self._shown = False, snapshot.status
        except Exception as failed:
            self._tell(f"the files of run {self._run_id[:8]} cannot be written: {type(failed).__name__}: {failed}")
        took = time.monotonic() - began
        self._rendering_s += took
        self._pace.took(took)
        return not self._stale


def _marks(files: RunFiles) -> _Marks:
    """Tell which journals there are, and how long each is: closed ones grow no more."""
    folders = [files.layout.run_journal(files.run_id)]
    folders += [spool.run_journal(base, files.layout.root, files.run_id) for base in spool.base_folders()]
    found = []
    for path in (path for folder in folders for path in journal_files(folder)):
        try:
            found.append((path, os.path.getsize(path)))
        except OSError:
            found.append((path, -1))
    return found
