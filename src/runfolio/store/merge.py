"""Merge the columns of several journals into one series.

Source: DESIGN.md, "Order and merge". Points stand by rising step, those without a step behind them in the order of events. At one step the later
in the order (attempt, time, journal id, sequence) wins. A rewind hides the points of lower attempts from its step on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.journal.columns import Column
from runfolio.store.points import Merged, join

Rewinds = Sequence[tuple[int, int]]
"""(attempt, step) of each."""


class Part(NamedTuple):
    """What one journal has of a metric."""

    attempt: int
    journal_id: str
    column: Column


def merge(parts: Sequence[Part], rewinds: Rewinds = ()) -> Merged:
    """Merge what the journals of a run have of one metric and rank."""
    if len(parts) == 1 and not rewinds and _is_plain(parts[0].column):
        return points_of(parts[0].column)
    parts = sorted(parts, key=lambda part: part.journal_id)
    columns = [_visible(part, rewinds) for part in parts]
    points = join([points_of(column) for column in columns])
    lengths = [len(c.seq) for c in columns]
    order = np.lexsort(
        (
            np.concatenate([c.seq for c in columns]),
            np.repeat(np.arange(len(parts)), lengths),
            np.concatenate([_never_back(c) for c in columns]),
            np.repeat(np.array([part.attempt for part in parts]), lengths),
        )
    )
    return points.take(_by_step(points, order))


def points_of(column: Column) -> Merged:
    return Merged(column.steps, column.final, column.values, column.kinds, column.times_ns)


def hidden_from(attempt: int, rewinds: Rewinds) -> int | None:
    """Give the step from which the points of an attempt are hidden; None where none are."""
    return min((step for later, step in rewinds if later > attempt), default=None)


def _is_plain(column: Column) -> bool:
    """Say whether the points stand in the right order as they are: the common case."""
    return not column.final.any() and bool((column.steps[1:] > column.steps[:-1]).all())


def _visible(part: Part, rewinds: Rewinds) -> Column:
    limit = hidden_from(part.attempt, rewinds)
    if limit is None:
        return part.column
    keep = part.column.final | (part.column.steps < limit)
    return Column._make(array[keep] for array in part.column)


def _never_back(column: Column) -> NDArray[np.int64]:
    """Give times that do not fall while the sequence rises: ticks cut off up to a microsecond, differently for each key set."""
    order = np.argsort(column.seq, kind="stable")
    times = np.empty_like(column.times_ns)
    times[order] = np.maximum.accumulate(column.times_ns[order]) if len(order) else column.times_ns
    return times


def _by_step(points: Merged, order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give the places of the points to show: the last of each step in this order, then those without a step."""
    final = points.final[order]
    stepped = order[~final]
    stepped = stepped[np.argsort(points.steps[stepped], kind="stable")]
    steps = points.steps[stepped]
    last = np.ones(len(stepped), np.bool_)
    last[:-1] = steps[1:] != steps[:-1]
    return np.concatenate([stepped[last], order[final]])
