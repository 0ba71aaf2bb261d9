"""The columns of the table of runs: what each takes from a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runfolio.errors import UsageError
from runfolio.model.names import shown
from runfolio.query.facts import metric_facts
from runfolio.query.filter.names import Known
from runfolio.query.run import Run
from runfolio.server.answers import time_ms

Reader = Callable[[Run], Any]

PLAIN: dict[str, Reader] = {
    "name": lambda run: run.name,
    "status": lambda run: run.status,
    "reason": lambda run: run.status_reason,
    "experiment": lambda run: run.experiment,
    "created": lambda run: time_ms(run.created),
    "ended": lambda run: time_ms(run.ended),
    "duration_s": lambda run: round(run.duration_s, 3),
    "tags": lambda run: run.tags,
    "notes": lambda run: run.notes,
    "archived": lambda run: run.archived,
    "deleted": lambda run: run.deleted,
    "attempts": lambda run: run.attempt_count,
}
METRIC_NUMBERS = (
    "last",
    "first",
    "min",
    "max",
    "mean",
    "count",
    "nan_count",
    "step_of_min",
    "step_of_max",
    "first_step",
    "last_step",
)


def reader_of(column: str) -> Reader:
    """Give what reads a column from a run; None where the run has no such value.

    Raises:
        UsageError: there is no such column.
    """
    if column in PLAIN:
        return PLAIN[column]
    family, _, key = column.partition(".")
    if key and family == "params":
        return lambda run: run.flat_params.get(key)
    if key and family == "tags":
        return lambda run: run.tags.get(key)
    if key and family == "summary":
        return lambda run: run._more["summary"].get(key)
    name, _, which = key.rpartition(".")
    if family == "metrics" and name and which in METRIC_NUMBERS:
        return lambda run: _number(run, name, which)
    known = f"{', '.join(PLAIN)}, params.KEY, summary.KEY, tags.KEY, metrics.NAME.{'|'.join(METRIC_NUMBERS)}"
    raise UsageError(f"there is no column {shown(column)}; there are {known}")


def order_of(sort: str | None, known: Known) -> str | None:
    """Give an order in the filter language. A column's own key is taken too, whatever its name holds: `-metrics.val/loss.last`."""
    if not sort:
        return None
    sign, key = ("-", sort[1:]) if sort.startswith("-") else ("", sort)
    family, _, name = key.partition(".")
    which = ""
    if family == "metrics":
        name, dot, number = name.rpartition(".")
        which = dot + number
    return f"{sign}{family}[{_quoted(name)}]{which}" if name in known.get(family, ()) else sort


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _number(run: Run, name: str, which: str) -> Any:
    """Give a number of a metric; where several ranks have it, over all of them."""
    if name not in run.metrics:
        return None
    if len(run.metrics.ranks(name)) > 1:
        return metric_facts(run, name)[which]
    return getattr(run.metrics[name], which)
