"""Write runs for the tests of reading: writers of any run, attempt, rank and process over a store, with a clock of their own."""

from __future__ import annotations

import os
from typing import Any

from runfolio.journal.identity import identity
from runfolio.journal.writer import Writer
from runfolio.model.ids import new_id
from runfolio.store.layout import Layout, find
from runfolio.testing.clock import ManualClock

TICK_NS = 1024
HERE = identity()
ELSEWHERE = {"host": "elsewhere", "pid": 7, "pid_start": 1, "boot_id": "another boot", "pid_ns": "another"}


def make_store() -> Layout:
    """Make the empty store of $RUNFOLIO_DIR."""
    layout = find(None)
    layout.create()
    return layout


def make_writer(
    layout: Layout,
    run_id: str,
    *,
    attempt: int = 1,
    rank: int | None = None,
    role: str = "start",
    clock: ManualClock | None = None,
    process: dict[str, Any] = HERE,
    high: int | None = None,
) -> Writer:
    """Open a writer of a run; the journal begins with its first event."""

    def folder() -> tuple[str, bool]:
        os.makedirs(layout.run_journal(run_id), exist_ok=True)
        return layout.run_journal(run_id), False

    opening = {"run": run_id, "attempt": attempt, "rank": rank, "role": role, **process, "version": "test"}
    more = {} if clock is None else {"clock": clock}
    return Writer([folder], lambda: opening, high=high, **more)


def make_run(layout: Layout, name: str | None = None, experiment: str = "test", **more: Any) -> tuple[str, Writer]:
    """Begin a run; give its id and the writer of its starter."""
    run_id = more.pop("run_id", None) or new_id()
    writer = make_writer(layout, run_id, **more)
    writer.event({"type": "run", "experiment": experiment, "experiment_id": None, "name": name})
    return run_id, writer


def end_run(writer: Writer, status: str = "finished") -> None:
    """Tell the end of a run and close its journal."""
    writer.event({"type": "finish", "status": status, "reason": None, "exit_code": 0})
    writer.close(sync=False)


def tree_of(root: str) -> list[tuple[str, int, int]]:
    """List all there is below a folder, with size and time of change."""
    found = []
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            found.append((os.path.relpath(path, root), stat.st_size, stat.st_mtime_ns))
    return sorted(found)
