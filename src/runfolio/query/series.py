"""One metric of one run as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runfolio.query.need import need
from runfolio.store.points import Merged, join
from runfolio.store.summary import Number, number

if TYPE_CHECKING:
    import pandas
    import polars

NO_RANK = -1
"""Stands in `Series.ranks` for points of a writer without a rank."""


class Series:
    """The points of a metric: by rising step, those without a step ("final") at the end. At one step the later write has won.

    Shape: every array has one element for each point.
    """

    def __init__(self, name: str, points: Merged, ranks: NDArray[np.int64] | None = None) -> None:
        self.name = name
        self._points = points
        self.ranks = ranks
        """The rank of each point, `NO_RANK` for none; only where all ranks were asked for, else None."""

    @property
    def steps(self) -> NDArray[np.int64]:
        """The steps; 0 where `final`."""
        return self._points.steps

    @property
    def final(self) -> NDArray[np.bool_]:
        """Which points have no step."""
        return self._points.final

    @property
    def values(self) -> NDArray[np.float64]:
        """The values, bit for bit; ints and bools as the float64 that equals them."""
        return self._points.values

    @cached_property
    def kinds(self) -> NDArray[np.str_]:
        """What was logged: "f" float, "i" int, "b" bool."""
        return self._points.kinds.astype(np.uint32).view("U1")

    @cached_property
    def times(self) -> NDArray[np.datetime64]:
        """When, by the writer's clock. Units: UTC, in ns."""
        return self._points.times_ns.view("datetime64[ns]")

    def __len__(self) -> int:
        return len(self._points.values)

    def __iter__(self) -> Iterator[tuple[int | None, Number]]:
        """Yield step, None for a final point, and value as it was logged."""
        points = self._points
        rows = zip(
            points.steps.tolist(), points.final.tolist(), points.values.tolist(), points.kinds.tolist(), strict=True
        )
        return ((None if final else step, number(value, chr(kind))) for step, final, value, kind in rows)

    def to_pandas(self) -> pandas.DataFrame:
        """Give a DataFrame with the columns step (nullable), value, kind and time, and rank where all were asked for."""
        pd = need("pandas")
        frame = {
            "step": pd.array(np.where(self.final, 0, self.steps), dtype="Int64"),
            "value": self.values,
            "kind": self.kinds.astype(object),
            "time": pd.to_datetime(self.times, utc=True),
        }
        frame["step"][self.final] = pd.NA
        if self.ranks is not None:
            frame["rank"] = pd.array(self.ranks, dtype="Int64")
            frame["rank"][self.ranks == NO_RANK] = pd.NA
        return pd.DataFrame(frame)

    def to_polars(self) -> polars.DataFrame:
        """Give a polars DataFrame with the same columns."""
        return need("polars").DataFrame(self)

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """Export as an Arrow stream: step (null where final), value, kind, time, and rank where all were asked for."""
        from runfolio.query.arrow import ArrowColumn, stream

        columns = [
            ArrowColumn("step", self.steps, ~self.final),
            ArrowColumn("value", self.values),
            ArrowColumn("kind", self._points.kinds),
            ArrowColumn("time", self.times),
        ]
        if self.ranks is not None:
            columns.append(ArrowColumn("rank", self.ranks, self.ranks != NO_RANK))
        return stream(columns, requested_schema)

    def _repr_html_(self) -> str:
        """Show it in a notebook: a small curve and a few numbers."""
        from runfolio.query.html import series_html

        return series_html(self)

    def __repr__(self) -> str:
        if not len(self):
            return f"<Series {self.name!r}, no points>"
        step = "final" if self.final[-1] else f"step {self.steps[-1]}"
        return f"<Series {self.name!r}, {len(self)} points, last {number(self.values[-1].item(), str(self.kinds[-1]))} at {step}>"


def all_ranks(name: str, by_rank: Sequence[tuple[int | None, Merged]]) -> Series:
    """Put the series of several ranks together: by step, then rank."""
    points = join([merged for _, merged in by_rank])
    numbers = [NO_RANK if rank is None else rank for rank, _ in by_rank]
    ranks = np.repeat(np.array(numbers, np.int64), [len(merged.values) for _, merged in by_rank])
    order = np.lexsort((ranks, np.where(points.final, 0, points.steps), points.final))
    return Series(name, points.take(order), ranks[order])


def mean_of_ranks(name: str, by_rank: Sequence[tuple[int | None, Merged]]) -> Series:
    """Average over the ranks that have a step; one NaN among them makes NaN. The time is the latest one.

    Final points are averaged too: the first of each rank with each other, and so on.
    """
    points = join([merged for _, merged in by_rank])
    places = np.concatenate(
        [np.cumsum(merged.final) for _, merged in by_rank]
    )  # of a final point among those of its rank
    key = np.where(points.final, places, points.steps)
    order = np.lexsort((key, points.final))
    key, final = key[order], points.final[order]
    begins = np.flatnonzero(np.concatenate([[True], (key[1:] != key[:-1]) | (final[1:] != final[:-1])]))
    counts = np.diff(np.append(begins, len(key)))
    with np.errstate(all="ignore"):
        values = np.add.reduceat(points.values[order], begins) / counts
    alone = counts == 1
    values[alone] = points.values[order][begins[alone]]  # bit for bit
    kinds = np.full(len(begins), ord("f"), np.uint8)
    times = np.maximum.reduceat(points.times_ns[order], begins)
    return Series(name, Merged(points.steps[order][begins], final[begins], values, kinds, times))
