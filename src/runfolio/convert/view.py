"""What a view is rendered from, and what it gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple

from runfolio.errors import UsageError
from runfolio.journal import identity
from runfolio.journal.columns import JournalColumns
from runfolio.model.clock import SYSTEM_CLOCK
from runfolio.model.run_state import RunState
from runfolio.model.states import RUNNING
from runfolio.store.follow import Call, Entry, entries_of
from runfolio.store.layout import Layout
from runfolio.store.liveness import ALIVE, UNKNOWN
from runfolio.store.run_files import RunFiles, last_time_ns
from runfolio.store.watch import STARTERS, Here, Watched, begin, look, standing

LAUNCHER = "launch"
FORMATS = ("yanex", "cs336", "ntn", "lab", "vibe_rl")


class File(NamedTuple):
    """One file of a view."""

    path: str  # absolute
    content: str
    lines: bool = False  # JSON lines: appended to where what is there is its beginning


@dataclass(frozen=True)
class Snapshot:
    """A run as it stands, for rendering.

    Contract: what it was taken of is not refreshed while it is in use: `entries` are made when first asked for.
    """

    files: RunFiles
    status: str  # running, finished, failed, killed, lost
    reason: str | None

    @property
    def layout(self) -> Layout:
        return self.files.layout

    @property
    def run_id(self) -> str:
        return self.files.run_id

    @property
    def state(self) -> RunState:
        return self.files.state

    @cached_property
    def entries(self) -> list[Entry]:
        """Calls of `log` and events, in their order; calls that a rewind hides are left out."""
        return entries_of(self.files)

    @property
    def calls(self) -> list[Call]:
        """The calls of `log`, in their order."""
        return [entry for entry in self.entries if isinstance(entry, Call)]

    @property
    def created_ns(self) -> int | None:
        return self.state.created_ns

    @property
    def ended_ns(self) -> int | None:
        """When its latest attempt ended: by its own word, else the last sign of life of a run that is no longer there."""
        if self.state.ended_ns is not None or not self.ended:
            return self.state.ended_ns
        return max((entry.time_ns for entry in self.entries), default=self.state.started_ns)

    @property
    def ended(self) -> bool:
        return self.status != RUNNING


Render = Callable[[Snapshot, str, Mapping[str, Any]], Iterable[File]]


def renderer(format: str) -> Render:
    """Give the renderer of a format.

    Raises:
        UsageError: no such format.
    """
    if format not in FORMATS:
        raise UsageError(f"no view has the format {format!r}; there are {', '.join(FORMATS)}")
    render: Render = import_module(f"runfolio.convert.views.{format}").render
    return render


def snapshot(layout: Layout, run_id: str) -> Snapshot:
    """Read a run as it stands now."""
    files = RunFiles(layout, run_id)
    files.refresh()
    return snapshot_of(files)


def snapshot_of(files: RunFiles) -> Snapshot:
    """Take a snapshot of what was read of a run."""
    return Snapshot(files, *status_of(files))


def status_of(files: RunFiles) -> tuple[str, str | None]:
    """Say how a run stands, and why: by its own or its launcher's word, else by whether its processes live."""
    if files.declared is not None:
        return files.declared, files.state.reason
    stands = standing(_watched([journal for journal in files.journals if not journal.closed], files), files.last_ns())
    return stands.status, stands.reason


def launcher_lives(files: RunFiles) -> bool:
    """Say whether the launcher of the latest attempt is there, whose word about the end is the last."""
    launchers = [j for j in files.journals if not j.closed and j.role == LAUNCHER and j.attempt == files.attempt]
    return any(watched.life in (ALIVE, UNKNOWN) for watched in _watched(launchers, files))


def _watched(journals: Iterable[JournalColumns], files: RunFiles) -> list[Watched]:
    here = Here(identity.boot_id(), SYSTEM_CLOCK.boot_ns(), time.time_ns())
    begun = (
        begin(j.path, j.end, last_time_ns(j), j.role in STARTERS and j.attempt == files.attempt, j.opening, None)
        for j in journals
    )
    return [look(one, here) for one in begun]
