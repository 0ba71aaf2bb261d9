"""Bring what waits in the spool into the store, once it can be written again."""

from __future__ import annotations

import os
from typing import NamedTuple

from runfolio.journal.columns import JournalColumns
from runfolio.store import spool
from runfolio.store.layout import Layout
from runfolio.store.run_files import journal_files
from runfolio.store.seal import has_ended


class Homecoming(NamedTuple):
    """What became of one run in the spool. `trouble` says why it stays there."""

    run_id: str
    journals: int
    trouble: str | None


def bring_home(layout: Layout) -> list[Homecoming]:
    """Move the journals of every spooled run that nobody writes any more into its folder; doing it again does no harm."""
    return [_bring_home(layout, run_id) for run_id in spool.runs_of(layout.root)]


def _bring_home(layout: Layout, run_id: str) -> Homecoming:
    try:
        if not all(map(_has_ended, _spooled(layout, run_id))):
            return Homecoming(run_id, 0, "it may still be written; it comes home when it finishes")
        layout.create()
        os.makedirs(layout.run_journal(run_id), exist_ok=True)
        return Homecoming(run_id, spool.bring_home(layout.root, run_id, layout.run_journal(run_id)), None)
    except OSError as trouble:
        return Homecoming(run_id, 0, f"the store cannot be written: {trouble.strerror or trouble}")


def _spooled(layout: Layout, run_id: str) -> list[JournalColumns]:
    paths = [path for folder in spool.journals_of(layout.root, run_id) for path in journal_files(folder)]
    return [JournalColumns(path) for path in paths]


def _has_ended(journal: JournalColumns) -> bool:
    journal.refresh()
    return has_ended(journal)
