"""Describe one group of values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from runfolio.query.statistics.bootstrap import bca
from runfolio.query.statistics.student import quantile
from runfolio.query.statistics.values import LEAST, Values, is_constant, sift

BOOTSTRAP_FROM = 30
"""From so many values on the interval is a bootstrap: it need not be symmetric, and there is enough to draw from."""
STUDENT, BCA = "Student t", "bootstrap BCa"


@dataclass(frozen=True)
class Interval:
    """Where the mean, or a difference of means, lies by 95 %."""

    low: float
    high: float
    method: str


@dataclass(frozen=True)
class Description:
    """A group of values in a few numbers. Below three values `mean`, `sd` and the like are None: the values say it all."""

    values: Values
    """The finite values, as given."""
    nans: int
    infinite: int
    mean: float | None
    median: float | None
    iqm: float | None
    """The mean of the middle half: less shaken by one bad seed than the mean, less blind than the median."""
    sd: float | None
    """With n - 1."""
    interval: Interval | None
    """Of the mean; None below three values."""
    best: float | None
    """By the goal; None without a goal or a value."""
    worst: float | None

    @property
    def n(self) -> int:
        """How many values count."""
        return len(self.values)

    @property
    def centre(self) -> float:
        """The mean of whatever there is, to put groups into an order; NaN of nothing."""
        return float(np.mean(self.values)) if self.n else math.nan


def describe(values: ArrayLike | Iterable[float], goal: str | None = None, alpha: float = 0.05) -> Description:
    """Describe values. NaN and the infinities are left out and counted.

    Args:
        goal: "min" or "max", which of the values are best and worst.
        alpha: 1 - the level of the interval.
    """
    kept, nans, infinite = sift(values)
    ends = (float(kept.min()), float(kept.max())) if len(kept) and goal else (None, None)
    best, worst = ends if goal == "min" else ends[::-1]
    if len(kept) < LEAST:
        return Description(kept, nans, infinite, None, None, None, None, None, best, worst)
    return Description(
        values=kept,
        nans=nans,
        infinite=infinite,
        mean=float(np.mean(kept)),
        median=float(np.median(kept)),
        iqm=interquartile_mean(kept),
        sd=float(np.std(kept, ddof=1)),
        interval=mean_interval(kept, alpha),
        best=best,
        worst=worst,
    )


def interquartile_mean(values: Values) -> float:
    """Average the middle half: a quarter of the values, rounded down, is cut from each end. Source: Agarwal et al. 2021."""
    cut = len(values) // 4
    return float(np.mean(np.sort(values)[cut : len(values) - cut]))


def mean_interval(values: Values, alpha: float = 0.05) -> Interval:
    """Give the interval of a mean: Student's below 30 values, from there the bootstrap's BCa."""
    mean = float(np.mean(values))
    if is_constant(values):
        return Interval(mean, mean, "all values are equal")
    if len(values) >= BOOTSTRAP_FROM:
        return Interval(*bca(values, alpha), BCA)
    half = quantile(1 - alpha / 2, len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return Interval(mean - half, mean + half, STUDENT)
