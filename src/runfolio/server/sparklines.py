"""Curves in a few numbers, for the rows of a table; remembered while their runs do not change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.query.charts.slices import Asked
    from runfolio.query.run import Run
    from runfolio.query.store import Store
    from runfolio.store.points import Merged

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

    def of(self, store: Store, runs: Sequence[Run], metric: str) -> list[Spark]:
        """Give the curve of each run: points that lie evenly in its order, the first and the last among them; None where it has none."""
        keys = {run.id: (run.id, run._row.version, metric) for run in runs}
        with self._lock:
            known = {key: self._kept[key] for key in keys.values() if key in self._kept}
        fresh = [run for run in runs if keys[run.id] not in known and metric in run.metrics]
        made = {keys[id_]: spark for id_, spark in _made(store, fresh, metric)} if fresh else {}
        with self._lock:
            self._kept.update(made)
            for key in known:
                if key in self._kept:
                    self._kept.move_to_end(key)
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        known |= made
        return [known.get(keys[run.id]) for run in runs]


def _made(store: Store, runs: Sequence[Run], metric: str) -> Iterator[tuple[str, Spark]]:
    from runfolio.query.charts.slices import by_run, read  # numpy

    for parts in read(store, [_asked(run, metric) for run in runs], metric):
        yield from ((run.id, _spark(points)) for run, points in by_run(parts, metric))


def _asked(run: Run, metric: str) -> Asked:
    from runfolio.query.charts.slices import Asked

    ranks = run.metrics.ranks(metric)
    summaries = [run.metrics.rank(metric, rank) for rank in ranks]
    return Asked(run, sum(one.count + one.nan_count for one in summaries), tuple(ranks))


def _spark(points: Merged) -> Spark:
    values = points.values[~points.final].tolist()
    count = len(values)
    if count > POINTS:
        values = [values[at * (count - 1) // (POINTS - 1)] for at in range(POINTS)]
    return [float(f"{value:.5g}") if value - value == 0 else None for value in values] or None


SPARKLINES = Sparklines()
"""Those of all stores: an id tells a run from any other."""
