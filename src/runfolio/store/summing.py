"""Make the summary of a series, and carry one on by points that came later."""

from __future__ import annotations

import numpy as np

from runfolio.store.points import Merged
from runfolio.store.summary import Summary


def summarize(points: Merged, rank: int | None) -> Summary | None:
    """Sum up a merged series; None where it is empty."""
    return _carry(None, points, rank) if len(points.values) else None


def carry_on(before: Summary, points: Merged) -> Summary | None:
    """Add points; exact as long as steps rise. None where they do not: sum up the whole series anew."""
    steps = points.steps
    if not len(steps):
        return before
    if (
        before.last_step is None
        or points.final.any()
        or steps[0] <= before.last_step
        or (steps[1:] <= steps[:-1]).any()
    ):
        return None
    return _carry(before, points, before.rank)


def _carry(before: Summary | None, points: Merged, rank: int | None) -> Summary:
    """Add points that stand behind all those before. An earlier extreme stays where a later one is equal."""
    values, kinds = points.values, points.kinds
    nan = np.isnan(values)
    nan_count = int(nan.sum())
    count = len(values) - nan_count
    total = before.total if before else 0.0
    low, low_kind, low_step = (before.min, before.kinds[2], before.min_step) if before else (np.nan, "f", None)
    high, high_kind, high_step = (before.max, before.kinds[3], before.max_step) if before else (np.nan, "f", None)
    if count:
        places = np.flatnonzero(~nan)
        known = values[places]
        with np.errstate(all="ignore"):
            total = float(np.add.accumulate(np.concatenate([[total], known]))[-1])
        at = int(places[np.argmin(known)])
        if not low <= values[at]:  # also where there was none: NaN
            low, low_kind, low_step = float(values[at]), chr(kinds[at]), _step(points, at)
        at = int(places[np.argmax(known)])
        if not high >= values[at]:
            high, high_kind, high_step = float(values[at]), chr(kinds[at]), _step(points, at)
    first = (
        (before.first, before.kinds[0], before.first_step)
        if before
        else (float(values[0]), chr(kinds[0]), _step(points, 0))
    )
    last = len(values) - 1
    return Summary(
        rank, first[0], float(values[last]), low, high, total,
        (before.count if before else 0) + count, (before.nan_count if before else 0) + nan_count,
        first[2], _step(points, last), low_step, high_step,
        first[1] + chr(kinds[last]) + low_kind + high_kind + _kind(before, points),
    )  # fmt: skip


def _step(points: Merged, at: int) -> int | None:
    return None if points.final[at] else int(points.steps[at])


def _kind(before: Summary | None, points: Merged) -> str:
    """Give the kind of all points; float where they differ."""
    first = points.kinds[0]
    if (before is None or before.kind == chr(first)) and bool((points.kinds == first).all()):
        return chr(first)
    return "f"
