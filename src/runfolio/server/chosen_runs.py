"""The runs that a question over many is about."""

from __future__ import annotations

from runfolio.query.named import runs_named
from runfolio.query.run import Run
from runfolio.query.store import Store
from runfolio.server.asked import Chosen
from runfolio.server.served import chosen


def runs_of(store: Store, asked: Chosen) -> list[Run]:
    """Give the runs of `served.chosen`; those that are named are found at once, and not one by one.

    Raises:
        UsageError: runs and a filter. FilterError. RunNotFound, AmbiguousRun: a run that was named.
    """
    if asked.runs is None or asked.q is not None:
        return chosen(store, asked)
    return runs_named(store, asked.runs.split(","))
