"""Make the summaries of series, and carry them on by points that came later: one series at a time, or all of a key set at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.journal.columns import Segment
from runfolio.store.groups import steps_of, values_of
from runfolio.store.points import Merged
from runfolio.store.summary import Summary

_VALUES_MAX = 1 << 20
"""How many values are looked at at once."""


def summarize(points: Merged, rank: int | None) -> Summary | None:
    """Sum up a merged series; None where it is empty."""
    if not len(points.values):
        return None
    return _one(None, points, rank)


def carry_on(before: Summary | None, points: Merged, rank: int | None) -> Summary | None:
    """Add points to what came before; exact as long as steps rise. None where they do not: sum up the whole series anew."""
    steps = points.steps
    if points.final.any() or not _rises(steps):
        return None
    if before is not None and (before.last_step is None or steps[0] <= before.last_step):
        return None
    return _one(before, points, rank)


def carry_set_on(
    before: Sequence[Summary | None], segments: Sequence[Segment], rank: int | None
) -> list[Summary | None]:
    """Add the points of a key set to the summaries of its metrics; None for those that must be summed up anew.

    Args:
        before: of each metric; None for one that has no point yet.
    """
    columns = segments[0].columns
    steps = steps_of(segments)
    if columns.final or not _rises(steps):
        return [None] * len(before)
    first, last = int(steps[0]), int(steps[-1])
    found: list[Summary | None] = []
    width = max(1, _VALUES_MAX // len(steps))
    for begin in range(0, len(before), width):
        some, kinds = before[begin : begin + width], columns.kinds[begin : begin + width]
        totals = [0.0 if summary is None else summary.total for summary in some]
        rows = _rows(values_of(segments, begin, begin + len(some)), totals)
        for was, kind, row in zip(some, kinds, rows, strict=True):
            if was is not None and (was.last_step is None or first <= was.last_step):
                found.append(None)
            else:
                places = (first, last, int(steps[row.low_at]), int(steps[row.high_at]))
                found.append(_joined(was, row, rank, kind * 4, places, kind))
    return found


class _Row(NamedTuple):
    """One metric of a block."""

    first: float
    last: float
    low: float
    low_at: int
    high: float
    high_at: int
    total: float
    nan_count: int
    length: int


def _rows(values: NDArray[np.float64], totals: Sequence[float]) -> Iterable[_Row]:
    """Sum up each column. Totals are added up one value after the other, so that a part of a series can be carried on to the same bits."""
    if len(values) == 1:
        return map(_row_of_one, values[0].tolist(), totals)
    nan = np.isnan(values)
    some = bool(nan.any())
    with np.errstate(all="ignore"):
        # Where there is no NaN, as mostly: faster, and the same.
        low, high = (np.fmin if some else np.minimum).reduce(values), (np.fmax if some else np.maximum).reduce(values)
        summands = np.where(nan, 0.0, values) if some else values
        total = np.add.accumulate(np.concatenate([np.array([totals]), summands]))[-1]
    low_at, high_at = (values == low).argmax(axis=0), (values == high).argmax(axis=0)
    across = np.arange(len(totals))
    columns = (
        values[0],
        values[-1],
        values[low_at, across],
        low_at,
        values[high_at, across],
        high_at,
        total,
        nan.sum(axis=0) if some else np.zeros(len(totals), np.int64),
    )
    return (_Row._make((*row, len(values))) for row in zip(*(column.tolist() for column in columns), strict=True))


def _row_of_one(value: float, total: float) -> _Row:
    nan = value != value
    return _Row(value, value, value, 0, value, 0, total if nan else total + value, int(nan), 1)


def _one(before: Summary | None, points: Merged, rank: int | None) -> Summary:
    (row,) = _rows(points.values[:, None], [0.0 if before is None else before.total])
    places = (0, row.length - 1, row.low_at, row.high_at)
    kinds = "".join(chr(points.kinds[at]) for at in places)
    steps = tuple(None if points.final[at] else int(points.steps[at]) for at in places)
    return _joined(before, row, rank, kinds, steps, _kind(points.kinds))


def _joined(
    was: Summary | None, row: _Row, rank: int | None, kinds: str, steps: tuple[int | None, ...], kind: str
) -> Summary:
    """Put what came before and a row together. An earlier extreme stays where a later one is equal."""
    known = row.length - row.nan_count
    first, first_kind, first_step = (
        (row.first, kinds[0], steps[0]) if was is None else (was.first, was.kinds[0], was.first_step)
    )
    low, low_kind, low_step = (np.nan, "f", None) if was is None else (was.min, was.kinds[2], was.min_step)
    high, high_kind, high_step = (np.nan, "f", None) if was is None else (was.max, was.kinds[3], was.max_step)
    if known and not low <= row.low:  # also where there was none: NaN
        low, low_kind, low_step = row.low, kinds[2], steps[2]
    if known and not high >= row.high:
        high, high_kind, high_step = row.high, kinds[3], steps[3]
    return Summary(
        rank, first, row.last, low, high, row.total,
        known + (was.count if was else 0), row.nan_count + (was.nan_count if was else 0),
        first_step, steps[1], low_step, high_step,
        first_kind + kinds[1] + low_kind + high_kind + (kind if was is None or was.kind == kind else "f"),
    )  # fmt: skip


def _rises(steps: NDArray[np.int64]) -> bool:
    return bool((steps[1:] > steps[:-1]).all())


def _kind(kinds: NDArray[np.uint8]) -> str:
    """Give the kind of all points; float where they differ."""
    return chr(kinds[0]) if bool((kinds == kinds[0]).all()) else "f"
