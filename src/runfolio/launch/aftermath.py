"""Read what the script's own journals say when it has ended: its error, and what could not be kept."""

from __future__ import annotations

import os

from runfolio.errors import RunfolioError
from runfolio.model.fold import RunState, fold
from runfolio.sdk.past import _journals, read_past
from runfolio.store.layout import Layout

_SMALL_BYTES = 1 << 20
"""Up to here the reader of the standard library is faster than the loading of numpy."""


def state_of(layout: Layout, run_id: str) -> RunState:
    """Fold the events of a run; what cannot be read is left out, for the script's end is told in any case."""
    try:
        paths = list(_journals(layout, run_id))
        if sum(map(os.path.getsize, paths)) <= _SMALL_BYTES:
            return read_past(layout, run_id).state
        return _state_of_large(paths)
    except (OSError, RunfolioError):
        return RunState()


def _state_of_large(paths: list[str]) -> RunState:
    from runfolio.journal.columns import JournalColumns

    journals = [JournalColumns(path) for path in paths]
    for journal in journals:
        journal.refresh()
    return fold(event for journal in journals for event in journal.events)
