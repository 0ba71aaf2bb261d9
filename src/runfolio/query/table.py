"""The metrics of a run side by side: one row for each step, and rank where there are ranks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import MetricNotFound
from runfolio.query.metrics import no_metric
from runfolio.query.need import need
from runfolio.query.series import NO_RANK
from runfolio.store.points import Merged
from runfolio.store.run_files import Rank, RunFiles
from runfolio.store.summary import Number, number

if TYPE_CHECKING:
    import pandas
    import polars


class Table:
    """Metrics as columns, by rising step (then rank). Where a metric has no point its value is NaN, `present` False and Arrow's value null.

    Points without a step stand in rows of their own at the end: the first of each metric in the first of them, and so on.
    Shape: every array has one element for each row.
    """

    def __init__(self, columns: dict[str, Column], rows: Rows) -> None:
        self._columns = columns
        self._rows = rows

    @property
    def columns(self) -> list[str]:
        """The names of the metrics."""
        return list(self._columns)

    @property
    def steps(self) -> NDArray[np.int64]:
        """The steps; 0 where `final`."""
        return self._rows.steps

    @property
    def final(self) -> NDArray[np.bool_]:
        """Which rows have no step."""
        return self._rows.final

    @property
    def ranks(self) -> NDArray[np.int64] | None:
        """The rank of each row, `NO_RANK` for none; None where no writer has one."""
        return self._rows.ranks if bool((self._rows.ranks != NO_RANK).any()) else None

    @cached_property
    def times(self) -> NDArray[np.datetime64]:
        """When the latest point of the row was written. Units: UTC, in ns."""
        return self._rows.last_ns.view("datetime64[ns]")

    @cached_property
    def first_times(self) -> NDArray[np.datetime64]:
        """When the earliest point of the row was written. Units: UTC, in ns."""
        return self._rows.first_ns.view("datetime64[ns]")

    def values(self, metric: str) -> NDArray[np.float64]:
        """The values of a metric, NaN where it has none."""
        return self._columns[metric].values

    def present(self, metric: str) -> NDArray[np.bool_]:
        """Where a metric has a value."""
        return self._columns[metric].present

    def kinds(self, metric: str) -> NDArray[np.str_]:
        """What was logged: "f" float, "i" int, "b" bool, and empty text for nothing."""
        return self._columns[metric].kinds.astype(np.uint32).view("U1")

    def __len__(self) -> int:
        return len(self._rows.steps)

    def rows(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """Yield a dict for each row: step (None where final), rank where there are ranks, time, first_time, and the metrics that it has.

        Args:
            since: the place of the first row; negative ones count from the end.
        """
        places = range(len(self))[since:]
        ranked = self.ranks is not None
        for at in places:
            row: dict[str, Any] = {"step": None if self.final[at] else int(self.steps[at])}
            if ranked:
                row["rank"] = None if self._rows.ranks[at] == NO_RANK else int(self._rows.ranks[at])
            row["time"], row["first_time"] = self.times[at], self.first_times[at]
            row["metrics"] = {
                name: value for name, column in self._columns.items() if (value := column.number(at)) is not None
            }
            yield row

    def to_pandas(self) -> pandas.DataFrame:
        """Give a DataFrame: step (and rank) nullable, time, first_time, and each metric as float64 with NaN where it has none.

        A metric that is named like one of the first has the prefix `metric.`.
        """
        pd = need("pandas")
        frame = {"step": pd.arrays.IntegerArray(self.steps.copy(), self.final.copy())}
        if self.ranks is not None:
            frame["rank"] = pd.arrays.IntegerArray(self.ranks.copy(), self.ranks == NO_RANK)
        frame["time"] = pd.to_datetime(self.times, utc=True)
        frame["first_time"] = pd.to_datetime(self.first_times, utc=True)
        metrics = {_free(name, frame): column.values for name, column in self._columns.items()}
        return pd.concat([pd.DataFrame(frame), pd.DataFrame(metrics, index=range(len(self)))], axis=1)

    def to_polars(self) -> polars.DataFrame:
        """Give a polars DataFrame with the same columns, null where a metric has no value."""
        return need("polars").DataFrame(self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """Export as an Arrow stream; null where a metric has no value, NaN where NaN was logged."""
        from runfolio.query.arrow import ArrowColumn, stream

        columns = [ArrowColumn("step", self.steps, ~self.final)]
        if self.ranks is not None:
            columns.append(ArrowColumn("rank", self.ranks, self.ranks != NO_RANK))
        columns += [ArrowColumn("time", self.times), ArrowColumn("first_time", self.first_times)]
        taken = {column.name for column in columns}
        for name, column in self._columns.items():
            columns.append(ArrowColumn(_free(name, taken), column.values, column.present))
        return stream(columns, requested_schema)

    def __repr__(self) -> str:
        return f"<Table {len(self)} rows, {', '.join(self.columns) or 'no metrics'}>"


def _free(name: str, taken: Collection[str]) -> str:
    """Give the name of a metric's column, beside ours."""
    return f"metric.{name}" if name in taken else name


class Column:
    """A metric in a table."""

    def __init__(self, length: int) -> None:
        self.values = np.full(length, np.nan)
        self.present = np.zeros(length, np.bool_)
        self.kinds = np.zeros(length, np.uint8)

    def put(self, places: NDArray[np.intp], points: Merged) -> None:
        self.values[places] = points.values
        self.present[places] = True
        self.kinds[places] = points.kinds

    def number(self, at: int) -> Number | None:
        """Give a value as it was logged; None where there is none."""
        return number(float(self.values[at]), chr(self.kinds[at])) if self.present[at] else None


class Rows:
    """The rows of a table: the steps and ranks of all its series."""

    def __init__(self, series: Sequence[tuple[Rank, Merged]]) -> None:
        ranks = np.concatenate(
            [np.zeros(0, np.int64)]
            + [np.full(len(points.steps), NO_RANK if rank is None else rank, np.int64) for rank, points in series]
        )
        # A final point stands in the row of its place among the final ones of its series.
        keys = np.concatenate(
            [np.zeros(0, np.int64)]
            + [np.where(points.final, np.cumsum(points.final), points.steps) for _, points in series]
        )
        final = np.concatenate([np.zeros(0, np.bool_)] + [points.final for _, points in series])
        times = np.concatenate([np.zeros(0, np.int64)] + [points.times_ns for _, points in series])
        order = np.lexsort((ranks, keys, final))
        same = np.zeros(len(order), np.bool_)
        for array in (ranks, keys, final):
            ordered = array[order]
            same[1:] |= ordered[1:] != ordered[:-1]
        same[:1] = True
        begins = np.flatnonzero(same)
        self.places = np.empty(len(order), np.intp)  # of each point: its row
        self.places[order] = np.cumsum(same) - 1
        first = order[begins]
        self.final = final[first]
        self.steps = np.where(self.final, 0, keys[first])
        self.ranks = ranks[first]
        self.first_ns = np.minimum.reduceat(times[order], begins) if len(begins) else times
        self.last_ns = np.maximum.reduceat(times[order], begins) if len(begins) else times


def table(files: RunFiles, metrics: Sequence[str] | None, run_id: str) -> Table:
    """Lay the series of a run side by side."""
    ranks = files.ranks()
    names = list(ranks) if metrics is None else list(dict.fromkeys(metrics))
    for name in names:
        if name not in ranks:
            raise MetricNotFound(no_metric(name, run_id, list(ranks)))
    named = [
        (name, rank, points)
        for name in names
        for rank in ranks[name]
        if (points := files.merged(name, rank)) is not None
    ]
    rows = Rows([(rank, points) for _, rank, points in named])
    columns = {name: Column(len(rows.steps)) for name in names}
    at = 0
    for name, _, points in named:
        columns[name].put(rows.places[at : at + len(points.steps)], points)
        at += len(points.steps)
    return Table(columns, rows)
