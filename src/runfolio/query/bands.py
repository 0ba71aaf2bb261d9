"""Curves over seeds: one line in the middle, and a band around it, on the steps of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import UsageError
from runfolio.query.series import Series
from runfolio.query.statistics.student import quantile
from runfolio.query.statistics.values import LEAST

CENTRES = ("mean", "median")
MEAN_BAND, MEDIAN_BAND = "95 % interval of the mean (Student t)", "middle half of the runs"

Floats = NDArray[np.float64]


class Band(NamedTuple):
    """A curve over several runs. Shape: every array has one element for each step."""

    steps: NDArray[np.int64]
    """All steps that any of the runs has, rising."""
    n: NDArray[np.int64]
    """How many of the runs have a number at each step."""
    centre: Floats
    low: Floats
    """NaN, as high, where fewer than three runs have a number."""
    high: Floats
    centre_name: str
    band_name: str
    runs: int
    """How many runs there are."""

    def whole(self) -> Band:
        """Give only the steps where every run has a number: there the curve does not jump because a run joins or ends."""
        keep = self.n == self.runs
        return self._replace(
            steps=self.steps[keep],
            n=self.n[keep],
            centre=self.centre[keep],
            low=self.low[keep],
            high=self.high[keep],
        )


def band(curves: Iterable[Series], centre: str = "mean", alpha: float = 0.05) -> Band:
    """Lay the curves of runs over each other.

    The mean has Student's interval, at each step by itself: 95 % hold for a step, not for the whole curve. The median
    has the middle half of the runs. NaN and points without a step are left out.
    """
    if centre not in CENTRES:
        raise UsageError(f"a curve's centre is 'mean' or 'median', not {centre!r}")
    listed = list(curves)
    steps, table = _aligned(listed)
    count = np.sum(~np.isnan(table), axis=0).astype(np.int64)
    made = _mean(table, count, alpha) if centre == "mean" else _median(table)
    enough = count >= LEAST
    low, high = (np.where(enough, end, np.nan) for end in made[1:])
    return Band(steps, count, made[0], low, high, centre, MEAN_BAND if centre == "mean" else MEDIAN_BAND, len(listed))


def _aligned(curves: list[Series]) -> tuple[NDArray[np.int64], Floats]:
    """Set curves on the steps of all of them; NaN where one has none. Shape: (run, step)."""
    kept = [(one.steps[~one.final], one.values[~one.final]) for one in curves]
    steps = np.unique(np.concatenate([np.zeros(0, np.int64), *(own for own, _ in kept)]))
    table = np.full((len(kept), len(steps)), np.nan)
    for row, (own, values) in zip(table, kept, strict=True):
        row[np.searchsorted(steps, own)] = np.where(np.isfinite(values), values, np.nan)
    return steps, table


def _mean(table: Floats, count: NDArray[np.int64], alpha: float) -> tuple[Floats, Floats, Floats]:
    with np.errstate(all="ignore"):
        mean = np.nansum(table, axis=0) / count
        sd = np.sqrt(np.nansum((table - mean) ** 2, axis=0) / (count - 1))
        t = np.array([np.nan, np.nan, *(quantile(1 - alpha / 2, n - 1) for n in range(2, len(table) + 1))])
        half = t[count] * sd / np.sqrt(count)
    return mean, mean - half, mean + half


def _median(table: Floats) -> tuple[Floats, Floats, Floats]:
    middle, low, high = np.full((3, table.shape[1]), np.nan)
    any_ = ~np.isnan(table).all(axis=0)
    if any_.any():
        middle[any_], low[any_], high[any_] = np.nanquantile(table[:, any_], (0.5, 0.25, 0.75), axis=0)
    return middle, low, high
