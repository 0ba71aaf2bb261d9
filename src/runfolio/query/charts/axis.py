"""What a curve is drawn over: its steps, the time since its run began, the time of day, or another metric at the same steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import UsageError
from runfolio.model.names import shown
from runfolio.store.points import Merged

if TYPE_CHECKING:
    from runfolio.query.run import Run

STEP, RELATIVE, WALL, METRIC = "step", "relative", "wall", "metric"
Floats = NDArray[np.float64]


class Axis(NamedTuple):
    """An axis. Units: steps; `relative` in s since the run began; `wall` in ms since 1970, UTC; or those of the metric."""

    kind: str = STEP
    metric: str | None = None

    @property
    def told(self) -> str:
        """As it is asked for."""
        return self.kind if self.metric is None else f"{METRIC}:{self.metric}"


BY_STEP = Axis()


def parse_axis(told: str) -> Axis:
    """Read `step`, `relative`, `wall` or `metric:NAME`.

    Raises:
        UsageError: anything else.
    """
    if told in (STEP, RELATIVE, WALL):
        return Axis(told)
    kind, colon, name = told.partition(":")
    if kind == METRIC and colon and name:
        return Axis(METRIC, name)
    raise UsageError(f"x is step, relative, wall or metric:NAME, not {shown(told)}")


def curve_of(run: Run, points: Merged, axis: Axis, over: Merged | None = None) -> tuple[Floats, Floats]:
    """Give x and y of the points that have a step, by rising x.

    Args:
        over: the points of the axis' metric. Joined at equal steps; where that metric is no finite number there is no point.
    """
    end = len(points.final) - int(np.count_nonzero(points.final))  # those without a step stand behind the others
    steps, y = points.steps[:end], points.values[:end]
    if axis.kind == STEP:
        return steps.astype(np.float64), y
    if axis.kind == METRIC:
        assert over is not None
        return _joined(steps, y, over)
    times_ns = points.times_ns[:end]
    if axis.kind == RELATIVE:
        x = (times_ns - run._row.created_ns) / 1e9
    else:
        x = times_ns / 1e6
    return _rising(x, y)


def finals_of(points: Merged) -> Floats:
    """Give the values without a step."""
    values: Floats = points.values[points.final]
    return values


def _joined(steps: NDArray[np.int64], y: Floats, over: Merged) -> tuple[Floats, Floats]:
    end = len(over.final) - int(np.count_nonzero(over.final))
    _, mine, others = np.intersect1d(steps, over.steps[:end], assume_unique=True, return_indices=True)
    x = over.values[others]
    known = np.isfinite(x)
    return _rising(x[known], y[mine][known])


def _rising(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Put points into the order of x; where two are at one x, in the order of their steps."""
    if not (x[1:] < x[:-1]).any():
        return x, y
    order = np.argsort(x, kind="stable")
    return x[order], y[order]
