"""Curves in a few numbers, for the rows of a table; remembered while their runs do not change."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from runfolio.query.run import Run

POINTS = 32
_KEPT_MAX = 5000

Spark = list[float | None] | None
_Key = tuple[str, int, str]


class Sparklines:
    """Makes sparklines and remembers the latest.

    Contract: any thread may use it.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, Spark] = OrderedDict()
        self._lock = Lock()

    def of(self, run: Run, metric: str) -> Spark:
        """Give a curve: points that lie evenly in its order, the first and the last among them; None where the run has none."""
        key = (run.id, run._row.version, metric)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = _made(run, metric)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        return made


def _made(run: Run, metric: str) -> Spark:
    if metric not in run.metrics:
        return None
    series = run.series(metric, "mean" if len(run.metrics.ranks(metric)) > 1 else None)
    values = series.values[~series.final].tolist()
    count = len(values)
    if count > POINTS:
        values = [values[at * (count - 1) // (POINTS - 1)] for at in range(POINTS)]
    return [float(f"{value:.5g}") if value - value == 0 else None for value in values] or None


SPARKLINES = Sparklines()
"""Those of all stores: an id tells a run from any other."""
