"""Curves over many runs: one line in the middle, and a band around it, on the steps of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import UsageError
from runfolio.query.series import Series
from runfolio.query.statistics.t_quantile import t_quantile
from runfolio.query.statistics.values import LEAST

CENTRES = ("mean", "median")
MEAN_BAND, MEDIAN_BAND = "95 % interval of the mean (Student t)", "middle half of the runs"
MOST_BAND = "10–90 % of the runs"
HALF, MOST = (0.25, 0.75), (0.1, 0.9)
"""Between which shares of the runs the band of a median lies."""
_AT_ONCE = 1 << 19  # values that are sorted at once: a copy of so many is made

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
    laid = over_runs(table, centre, alpha)
    return Band(steps, *laid, centre, MEAN_BAND if centre == "mean" else MEDIAN_BAND, len(listed))


def _aligned(curves: list[Series]) -> tuple[NDArray[np.int64], Floats]:
    """Set curves on the steps of all of them; NaN where one has none. Shape: (run, step)."""
    kept = [(one.steps[~one.final], one.values[~one.final]) for one in curves]
    steps = np.unique(np.concatenate([np.zeros(0, np.int64), *(own for own, _ in kept)]))
    table = np.full((len(kept), len(steps)), np.nan)
    for row, (own, values) in zip(table, kept, strict=True):
        row[np.searchsorted(steps, own)] = np.where(np.isfinite(values), values, np.nan)
    return steps, table


class Laid(NamedTuple):
    """Runs laid over each other. Shape: every array has one element for each place of the grid."""

    n: NDArray[np.int64]
    """How many of the runs have a number there."""
    centre: Floats
    low: Floats
    """NaN, as high, where fewer than three runs have a number."""
    high: Floats


def over_runs(table: NDArray[Any], centre: str, alpha: float = 0.05, shares: tuple[float, float] = HALF) -> Laid:
    """Lay runs over each other that stand on one grid. Shape of the table: (run, place); NaN where a run has none, and no infinities.

    Args:
        centre: "mean", with Student's interval, or "median", with the band between two shares of the runs.
    """
    if centre == "mean":
        count, middle, low, high = _mean(table, alpha)
    else:
        count, (middle, low, high) = quantiles(table, (0.5, *shares))
    enough = count >= LEAST
    return Laid(count, middle, np.where(enough, low, np.nan), np.where(enough, high, np.nan))


def _mean(table: NDArray[Any], alpha: float) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    count = np.zeros(table.shape[1], np.int64)
    mean, sd = np.full((2, table.shape[1]), np.nan)
    for at in _stretches(table):
        part = table[:, at].astype(np.float64)
        count[at] = np.sum(~np.isnan(part), axis=0)
        with np.errstate(all="ignore"):
            mean[at] = np.nansum(part, axis=0) / count[at]
            sd[at] = np.sqrt(np.nansum((part - mean[at]) ** 2, axis=0) / (count[at] - 1))
    known = np.unique(count)
    t = np.array([t_quantile(1 - alpha / 2, n - 1) if n > 1 else np.nan for n in known.tolist()])
    with np.errstate(all="ignore"):
        half = t[np.searchsorted(known, count)] * sd / np.sqrt(count)
    return count, mean, mean - half, mean + half


def quantiles(table: NDArray[Any], shares: Sequence[float]) -> tuple[NDArray[np.int64], Floats]:
    """Give how many numbers stand at each place, and the quantiles of them, as numpy's; NaN is left out. Shape: (share, place).

    numpy's own `nanquantile` takes a loop of Python for each place once there is a NaN, this none.
    """
    count = np.zeros(table.shape[1], np.int64)
    found = np.full((len(shares), table.shape[1]), np.nan)
    for at in _stretches(table):
        ordered = np.sort(np.ascontiguousarray(table[:, at].T), axis=1)  # NaN comes last
        count[at] = n = np.sum(~np.isnan(ordered), axis=1)
        places, last = np.arange(len(n)), np.maximum(n - 1, 0)
        for row, share in enumerate(shares):
            whole = np.floor(last * share).astype(np.int64)
            below, above = (ordered[places, place].astype(np.float64) for place in (whole, np.minimum(whole + 1, last)))
            part = last * share - whole
            found[row, at] = below * (1 - part) + above * part
    return count, found


def _stretches(table: NDArray[Any]) -> Iterator[slice]:
    """Cut a table into pieces of a bounded size, each with all the runs."""
    wide = max(1, _AT_ONCE // max(1, len(table)))
    return (slice(at, min(at + wide, table.shape[1])) for at in range(0, table.shape[1] if len(table) else 0, wide))
