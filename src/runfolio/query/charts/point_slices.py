"""All points of metrics of many runs, a table at a time: no more is held than one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from runfolio.errors import UsageError
from runfolio.query.charts.slices import Asked, asked_of, read
from runfolio.query.frame import Frame
from runfolio.query.points import Part, check_metrics, long_columns
from runfolio.query.survey.census import census_of
from runfolio.store.points import Merged

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

ROWS_MAX = 50_000
"""Of one table."""
_COLUMNS = ("run", "metric", "rank", "step", "value", "kind", "time")


def point_slices(store: Store, runs: Sequence[Run], metrics: Sequence[str], points_max: int) -> Iterator[Frame]:
    """Give the points metric by metric, then run by run in their order: run, metric, rank, step, value, kind, time. At least one table.

    Raises:
        MetricNotFound: no run of the store has such a metric. UsageError: more points than `points_max`.
    """
    check_metrics(metrics, store.names()["metrics"])
    layouts = census_of(store).layouts
    asked = {metric: asked_of(runs, layouts.find(runs, metric)) for metric in metrics}
    points = sum(one.points for some in asked.values() for one in some)
    if points > points_max:
        raise UsageError(
            f"these are {points:,} points in {len(runs):,} runs, and one answer gives at most {points_max:,}; narrow the filter, or name runs"
        )
    return _frames(store, asked)


def _frames(store: Store, asked: dict[str, list[Asked]]) -> Iterator[Frame]:
    yield _frame([])  # the columns, also of nothing
    waiting: list[Part] = []
    rows = 0
    for metric, some in asked.items():
        for parts in read(store, some, metric):
            for part in parts:
                for piece in _pieces(part):
                    if waiting and rows + len(piece.points.values) > ROWS_MAX:
                        yield _frame(waiting)
                        waiting, rows = [], 0
                    waiting.append(piece)
                    rows += len(piece.points.values)
    if waiting:
        yield _frame(waiting)


def _pieces(part: Part) -> Iterator[Part]:
    count = len(part.points.values)
    if count <= ROWS_MAX:
        yield part
        return
    for at in range(0, count, ROWS_MAX):
        yield part._replace(points=Merged._make(array[at : at + ROWS_MAX] for array in part.points))


def _frame(parts: list[Part]) -> Frame:
    columns = long_columns(parts)
    return Frame({name: columns[name] for name in _COLUMNS})
