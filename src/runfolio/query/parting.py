"""Where the curves of two runs part: the first step at which a metric is not the same in both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.query.series import NO_RANK, Series
from runfolio.store.points import Merged
from runfolio.store.summary import Number, number

if TYPE_CHECKING:
    from runfolio.query.run import Run

Rank = int | None


class Parting(NamedTuple):
    """The first step at which the values differ."""

    step: int | None
    """None: they are the same at all steps, but not in the points without one."""
    a: float
    b: float

    @property
    def difference(self) -> float:
        return self.b - self.a


class MetricDiff(NamedTuple):
    """One metric of two runs, and of one rank where there are several."""

    name: str
    rank: Rank
    goal: str | None
    """"min" or "max", where it is declared."""
    last: tuple[Number | None, Number | None]
    """The last value in A and in B; None where a run lacks the metric."""
    best: tuple[Number | None, Number | None]
    """By the goal; None without one, and where all is NaN."""
    points: tuple[int, int]
    common: int
    """How many steps both have."""
    differing: int
    """At how many of these the values differ. NaN is NaN; an int equals the float of the same value."""
    first_common: int | None
    """The first step that both have."""
    parting: Parting | None

    @property
    def is_equal(self) -> bool:
        """Say whether both have the same steps, with the same values."""
        return not self.differing and self.points == (self.common, self.common)

    @property
    def in_one_only(self) -> str | None:
        """Say which of the runs alone has the metric: "A" or "B"; None where both have it."""
        return "B" if self.last[0] is None else "A" if self.last[1] is None else None


def metric_diffs(a: Run, b: Run) -> list[MetricDiff]:
    """Set all metrics of two runs beside each other, in the order first logged."""
    goals = [run.goals for run in (a, b)]
    series = [dict(_by_rank(run)) for run in (a, b)]
    found = []
    for name, rank in dict.fromkeys((*series[0], *series[1])):
        told = {one[name] for one in goals if name in one}
        goal = told.pop() if len(told) == 1 else None
        found.append(_compared(name, rank, goal, *(one.get((name, rank)) for one in series)))
    return found


def _by_rank(run: Run) -> Iterator[tuple[tuple[str, Rank], Series]]:
    names = list(run.metrics)
    for name, series in zip(names, run._several(names, "all"), strict=True):
        if series.ranks is None:  # no point is left of it
            continue
        for rank in np.unique(series.ranks).tolist():
            one = Series(name, series._points.take(series.ranks == rank))
            yield (name, None if rank == NO_RANK else rank), one


def _compared(name: str, rank: Rank, goal: str | None, a: Series | None, b: Series | None) -> MetricDiff:
    last = tuple(None if one is None or not len(one) else _number(one, -1) for one in (a, b))
    best = tuple(None if one is None or goal is None else _best(one, goal) for one in (a, b))
    points = (len(a) if a else 0, len(b) if b else 0)
    parted = _parted(a, b) if a is not None and b is not None else (0, 0, None, None)
    return MetricDiff(name, rank, goal, (last[0], last[1]), (best[0], best[1]), points, *parted)


def _parted(a: Series, b: Series) -> tuple[int, int, int | None, Parting | None]:
    """Count the common points and those that differ, give the first common step, and the first point that differs."""
    found = []
    for final in (False, True):
        steps, of_a, of_b = matched(a, b, final)
        unequal = (of_a != of_b) & ~(np.isnan(of_a) & np.isnan(of_b))
        found.append((steps, of_a, of_b, unequal))
    common, differing = sum(len(one[0]) for one in found), sum(int(one[3].sum()) for one in found)
    first = int(found[0][0][0]) if len(found[0][0]) else None
    for steps, of_a, of_b, unequal in found:
        if unequal.any():
            at = int(np.argmax(unequal))
            step = int(steps[at]) if unequal is found[0][3] else None
            parting = Parting(step, float(of_a[at]), float(of_b[at]))
            return common, differing, first, parting
    return common, differing, first, None


def matched(
    a: Series, b: Series, final: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Give the steps that both have, with their values; of the points without a step the first goes with the first."""
    of_a, of_b = (one._points.take(one.final == final) for one in (a, b))
    steps, at_a, at_b = np.intersect1d(_keys(of_a, final), _keys(of_b, final), assume_unique=True, return_indices=True)
    return steps, of_a.values[at_a], of_b.values[at_b]


def _keys(points: Merged, final: bool) -> NDArray[np.int64]:
    return np.arange(len(points.steps), dtype=np.int64) if final else points.steps


def _number(series: Series, at: int) -> Number:
    return number(series.values[at].item(), str(series.kinds[at]))


def _best(series: Series, goal: str) -> Number | None:
    known = np.flatnonzero(~np.isnan(series.values))
    if not len(known):
        return None
    at = (np.argmin if goal == "min" else np.argmax)(series.values[known])
    return _number(series, int(known[at]))
