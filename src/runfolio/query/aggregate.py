"""Numbers of one series that its summary does not hold: median, area under the curve, the value at a step, the best so far.

NaN is left out of all of them; points without a step belong to none that needs steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import UsageError
from runfolio.query.series import Series

GOALS = ("min", "max")


def median(series: Series) -> float | None:
    """Give the median of all points; None where there is none."""
    known = series.values[~np.isnan(series.values)]
    return float(np.median(known)) if len(known) else None


def auc(series: Series) -> float | None:
    """Give the area under the curve over the steps, by trapezoids; None where there are less than two points.

    Units: value times steps.
    """
    keep = ~series.final & ~np.isnan(series.values)
    if keep.sum() < 2:
        return None
    values, steps = series.values[keep], series.steps[keep].astype(float)
    return float(np.sum((values[1:] + values[:-1]) / 2 * np.diff(steps)))


def at(series: Series, step: int) -> float | None:
    """Give the value at a step; None where there is none, or NaN."""
    found = series.values[~series.final & (series.steps == step)]
    return float(found[0]) if len(found) and found[0] == found[0] else None


def best_so_far(series: Series, goal: str) -> NDArray[np.float64]:
    """Give at each point the best value up to there, the point included; NaN before the first number. Shape: points."""
    if goal not in GOALS:
        raise UsageError(f"goal must be 'min' or 'max', not {goal!r}")
    gather = np.fmin if goal == "min" else np.fmax
    found: NDArray[np.float64] = gather.accumulate(series.values) if len(series) else series.values
    return found


def number_of(series: Series, which: str, argument: int | None) -> float | None:
    """Give a number by its name in a filter: median, auc, at."""
    if which == "at":
        assert argument is not None
        return at(series, argument)
    return {"median": median, "auc": auc}[which](series)
