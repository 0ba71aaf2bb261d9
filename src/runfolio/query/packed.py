"""What the index keeps of runs in packed columns, read of many runs at once: one that is held lightly does not have it at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from runfolio.errors import RunNotFound
from runfolio.query.run import Run

if TYPE_CHECKING:
    from runfolio.query.store import Store

_AT_ONCE = 500


def packed(runs: Sequence[Run], column: str) -> Iterator[Any]:
    """Yield a packed column of runs, in their order, and hold no more than a few hundred of them; None where a run has gone in between.

    Args:
        column: params or more, as JSON; summaries.
    """
    for at in range(0, len(runs), _AT_ONCE):
        some = runs[at : at + _AT_ONCE]
        missing = [run.id for run in some if getattr(run._row, column) is None]
        read = _read(some[0]._store, missing, column) if missing else {}
        for run in some:
            held = getattr(run._row, column)
            if held is None:
                held = read.get(run.id)
            yield held if held is not None else _big(run, column)


def _read(store: Store, ids: list[str], column: str) -> dict[str, Any]:
    return store.ask(lambda index: index.cache.packed(ids, column))


def _big(run: Run, column: str) -> Any:
    """Read one that is too big to be read with others."""
    try:
        return run._heavy(column)
    except RunNotFound:
        return None


def whole(store: Store, runs: Sequence[Run]) -> list[Run]:
    """Give runs with all that is asked of them one by one: params, tags, metrics. Nothing of it is kept; what has gone stays as it was known."""
    missing = [run.id for run in runs if run._row.params is None]
    rows = store.ask(lambda index: index.cache.rows_of(missing)) if missing else {}
    return [Run(store, rows[run.id]) if run.id in rows else run for run in runs]
