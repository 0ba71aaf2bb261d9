"""What may be drawn of one metric over many runs: curves, bands over all of them, and words for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from runfolio.query.bands import Laid
from runfolio.query.charts.axis import BY_STEP, Axis, Floats
from runfolio.query.charts.resample import Mark
from runfolio.query.charts.slices import AskedRank

if TYPE_CHECKING:
    from runfolio.query.run import Run

POINTS_MAX = 20_000_000
"""That one chart reads."""
NUMBERS_MAX = 2_000_000
"""That one chart gives."""
GROUPS_MAX = 200
FINALS_MAX = 100


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Args:
        start, end: the window of x.
        buckets: a curve with at most twice so many points in the window comes as it is, a longer one in so many stretches.
        curves: how many curves at most; 0 for the bands alone.
        first: runs whose curves come before those of the others.
        bands: whether there are any.
        group: params; a band for each group of runs that are equal in them; empty: one over all.
        centre: of a group: "mean" or "median".
        rank: a number, "none", or "mean" over those there are.
        smooth: the weight of a moving average of curves that are thinned; 0 for none.
        single: floats of 32 bits will do, where the values fit.
    """

    metric: str
    axis: Axis = BY_STEP
    start: float | None = None
    end: float | None = None
    buckets: int = 600
    curves: int = 1000
    first: tuple[str, ...] = ()
    bands: bool = True
    group: tuple[str, ...] = ()
    centre: str = "mean"
    rank: AskedRank = "mean"
    smooth: float = 0.0
    single: bool = False
    points_max: int = POINTS_MAX
    numbers_max: int = NUMBERS_MAX


class Curve(NamedTuple):
    """One curve: as it is (`y`), or thinned (`low`, `high`, `last`)."""

    run: Run
    grid: int
    points: int
    """How many points it has in the window."""
    y: NDArray[Any] | None
    low: NDArray[Any] | None
    high: NDArray[Any] | None
    last: NDArray[Any] | None
    smooth: NDArray[Any] | None
    """Of a thinned curve: the moving average of all its points, at the last one in each stretch."""
    marks: list[Mark]
    final: list[float]
    """The values without a step, the latest `FINALS_MAX` of them."""


class Band(NamedTuple):
    """A band over a group of runs."""

    params: dict[str, Any] | None
    runs: list[Run]
    grid: int
    laid: Laid
    centre: str
    name: str


@dataclass
class Chart:
    """What is drawn."""

    metric: str
    goal: str | None
    axis: Axis
    asked: int
    """How many runs were asked for."""
    having: int
    """How many of them have the metric."""
    gone: int = 0
    """How many have vanished while they were read."""
    fewest: int = 0
    most: int = 0
    """How many points the runs have."""
    buckets: int = 0
    range: tuple[float, float] | None = None
    """The least and the greatest x of all, in the window or not."""
    grids: list[Floats] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    groups: int = 0
    """How many groups there are; bands are of the `GROUPS_MAX` biggest of them."""

    @property
    def is_thinned(self) -> bool:
        """Whether any curve does not come as it is."""
        return any(curve.y is None for curve in self.curves)

    @property
    def words(self) -> str:
        """Say what is drawn."""
        drawn, having = len(self.curves), self.having
        noun = "run" if having == 1 else "runs"
        runs = f"{having:,} {noun}" if drawn in (0, having) else f"{drawn:,} of {having:,} {noun} drawn"
        points = f"{self.most:,}" if self.fewest == self.most else f"{self.fewest:,} to {self.most:,}"
        each = " each" if having > 1 and self.fewest == self.most else ""
        form = f"lowest, highest and last of {self.buckets:,} stretches" if self.is_thinned else "raw"
        names = dict.fromkeys(f"{band.centre} and {band.name}" for band in self.bands)
        told = [self.metric, runs, f"{points} point{'' if self.most == 1 else 's'}{each}"]
        return " · ".join([*told, *([form] if drawn else []), *names])
