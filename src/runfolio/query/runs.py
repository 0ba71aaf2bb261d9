"""A list of runs, and what may be made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from runfolio.query.need import need

if TYPE_CHECKING:
    import pandas
    import polars
    from matplotlib.axes import Axes

    from runfolio.query.groups import Groups
    from runfolio.query.run import Run

Base = list["Run"]
_ALWAYS = ("id", "name", "experiment", "status", "created", "duration_s")


class Runs(Base):
    """Runs in an order. A list, with forms for tables, groups and plots."""

    def __init__(self, runs: Iterable[Run] = (), store: Any = None) -> None:
        super().__init__(runs)
        self._store = store

    def rows(self) -> list[dict[str, Any]]:
        """Give one dict per run: id, name, experiment, status, created, duration_s, then `params.…`, `metrics.…` (the last value) and `summary.…`."""
        return [_row(run) for run in self]

    def columns(self) -> dict[str, list[Any]]:
        """Give the same by column, None where a run has no value; where there is no run the columns that each has."""
        rows = self.rows()
        names = dict.fromkeys((*_ALWAYS, *(name for row in rows for name in row)))
        return {name: [row.get(name) for row in rows] for name in names}

    def groups(
        self,
        metric: str,
        by: str | Sequence[str] | None = None,
        over: str | Sequence[str] | None = None,
        goal: str | None = None,
        at: Any = "last",
    ) -> Groups:
        """Group these runs by params, over seeds, and say which group is really better; as `runfolio.query.groups.groups`.

        Raises:
            NotFound: no run has the metric or the param. UsageError: no goal.
        """
        from runfolio.query.groups import groups  # scipy

        return groups(self, metric, by, over, goal, at)

    def to_pandas(self) -> pandas.DataFrame:
        """Give a DataFrame, one row for each run. Ints stay ints: a column that lacks some is pandas' `Int64`, which knows NA."""
        pandas = need("pandas")
        return pandas.DataFrame(
            {
                name: pandas.array(values, "Int64") if _lacks_ints(values) else values
                for name, values in self.columns().items()
            }
        )

    def to_polars(self) -> polars.DataFrame:
        """Give a polars DataFrame, one row for each run; a column whose values are of several types is text."""
        return need("polars").DataFrame(_of_one_type(self.columns()), strict=False)

    def to_arrow(self) -> Any:
        """Give an object with `__arrow_c_stream__`, which pyarrow, polars, duckdb and nanoarrow take."""
        from runfolio.query.columns import Columns

        return Columns(self.columns())

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def plot(
        self,
        *metrics: str,
        group_by: str | Sequence[str] | None = None,
        smooth: float = 0.0,
        x: str = "step",
        log_y: bool = False,
        centre: str = "mean",
        together: bool = False,
        title: str | None = None,
        ax: Axes | None = None,
        out: str | PathLike[str] | None = None,
    ) -> Axes | list[Axes]:
        """Draw metrics with matplotlib: a curve for each run, labelled by the params that differ; a panel for each metric.

        Args:
            group_by: one curve for each value of these params, with a band over its runs: `group_by="lr"`.
            smooth: the weight of a moving average, from 0 (none) up to below 1; the line as logged stays, faint.
            x: "step"; "time", since each run's start; or a metric, at the same step.
            centre: of a group: "mean", with Student's 95 % interval; "median", with the middle half.
            together: all metrics on the same axes.
            ax: draw there; one panel, without the caption.
            out: write a file instead, .png, .svg, .pdf or .html; nothing is shown then.

        Returns:
            The Axes; a list of them where there are several panels. The figure is `ax.figure`.

        Raises:
            MissingExtra: matplotlib is not installed. NotFound: no run has such a metric or param.
        """
        from runfolio.query.plot.draw import plot_runs

        by = [group_by] if isinstance(group_by, str) else group_by
        wish = {"group_by": by, "smooth": smooth, "x": x, "log_y": log_y, "centre": centre}
        return plot_runs(self, metrics, ax, out, title, together=together or ax is not None, **wish)

    def _repr_html_(self) -> str:
        """Show the runs as a table in a notebook."""
        from runfolio.query.html import runs_html

        return runs_html(self)

    def __repr__(self) -> str:
        return f"<{len(self)} run{'' if len(self) == 1 else 's'}>" if len(self) > 20 else super().__repr__()


def _row(run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": run.id,
        "name": run.name,
        "experiment": run.experiment,
        "status": run.status,
        "created": run.created,
        "duration_s": run.duration_s,
    }
    row.update((f"params.{key}", value) for key, value in run.flat_params.items())
    for name in run.metrics:
        ranks = run.metrics.ranks(name)
        row[f"metrics.{name}"] = run.metrics.rank(name, ranks[0]).last if len(ranks) == 1 else None
    row.update((f"summary.{key}", value) for key, value in run.summary.items())
    return row


def _lacks_ints(values: list[Any]) -> bool:
    """Say whether values are ints of 64 bits, and some are missing: as floats, which pandas makes of them, they would be rounded."""
    kinds = {type(value) for value in values}
    return kinds == {int, type(None)} and all(value is None or -(2**63) <= value < 2**63 for value in values)


def _of_one_type(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    def mixed(values: list[Any]) -> bool:
        kinds = {float if type(value) is int else type(value) for value in values if value is not None}
        return len(kinds) > 1 or bool(kinds & {list, dict})

    return {
        name: [None if value is None else str(value) for value in values] if mixed(values) else values
        for name, values in columns.items()
    }
