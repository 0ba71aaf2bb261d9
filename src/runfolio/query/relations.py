"""The five tables that SQL and exports know: runs, params, metrics, points, artifacts. Source: docs/guide/sql.md.

Times are UTC and plain: a database then needs no time zones to compare them. Those of points are exact, the others in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from runfolio.model.strict_json import dumps_view, view
from runfolio.query.frame import Column, Frame, Numbers, Text, bools, floats, ints, times
from runfolio.query.points import KINDS, Part
from runfolio.store.points import join, nothing

if TYPE_CHECKING:
    from runfolio.query.run import Run

ROWS_AT_ONCE = 1 << 20
"""So many points are handed over in one piece."""
BYTES_PER_POINT = 30

PLAIN = ""  # the zone of our times, as Arrow calls it


def runs_frame(runs: Iterable[Run]) -> Frame:
    """Give one row for each run."""
    runs = list(runs)
    more = [run._more for run in runs]
    columns: dict[str, Column] = {
        "run": Text([run.id for run in runs]),
        "name": Text([run.name for run in runs]),
        "experiment": Text([run.experiment for run in runs]),
        "status": Text([run.status for run in runs]),
        "reason": Text([run.status_reason for run in runs]),
        "created": times(run._row.created_ns for run in runs),
        "started": times(run._row.started_ns for run in runs),
        "ended": times(run._row.ended_ns for run in runs),
        "duration_s": floats(run.duration_s for run in runs),
        "attempts": ints(one["attempts"] for one in more),
        "exit_code": ints(one["exit_code"] for one in more),
        "total_steps": ints(one["total_steps"] for one in more),
        "lost_points": ints(run.lost_points for run in runs),
        "archived": bools(run.archived for run in runs),
        "notes": Text([run.notes or None for run in runs]),
        "tags": Text([_json(one["tags"]) for one in more]),
        "summary": Text([_json(one["summary"]) for one in more]),
    }
    return Frame(columns, PLAIN)


def params_frame(runs: Iterable[Run]) -> Frame:
    """Give one row for each param of each run: as text, exact, and as a number where it is one."""
    rows = [(run.id, key, value) for run in runs for key, value in run.flat_params.items()]
    values = [value for _, _, value in rows]
    columns: dict[str, Column] = {
        "run": Text([run for run, _, _ in rows]),
        "param": Text([key for _, key, _ in rows]),
        "value": Text([param_text(value) for value in values]),
        "number": floats(_number(value) for value in values),
        "kind": Text([_kind(value) for value in values]),
    }
    return Frame(columns, PLAIN)


def metrics_frame(runs: Iterable[Run]) -> Frame:
    """Give one row for each metric of each run and rank, in numbers; NaN is left out of min, max, mean and count."""
    goals: list[str | None] = []
    ids: list[str] = []
    named = []
    for run in runs:
        declared = run.goals
        for name, summary in run.metrics._packed:
            ids.append(run.id)
            goals.append(declared.get(name))
            named.append((name, summary))
    sums = [summary for _, summary in named]
    columns: dict[str, Column] = {
        "run": Text(ids),
        "metric": Text([name for name, _ in named]),
        "rank": ints(one.rank for one in sums),
        "kind": Text([KINDS[ord(one.kind)] for one in sums]),
        "goal": Text(goals),
        "count": ints(one.count for one in sums),
        "nan_count": ints(one.nan_count for one in sums),
        "first": floats(one.first for one in sums),
        "last": floats(one.last for one in sums),
        "min": floats(one.min if one.count else None for one in sums),
        "max": floats(one.max if one.count else None for one in sums),
        "mean": floats(one.total / one.count if one.count else None for one in sums),
        "first_step": ints(one.first_step for one in sums),
        "last_step": ints(one.last_step for one in sums),
        "step_of_min": ints(one.min_step for one in sums),
        "step_of_max": ints(one.max_step for one in sums),
    }
    return Frame(columns, PLAIN)


def artifacts_frame(runs: Iterable[Run]) -> Frame:
    """Give one row for each version of each artifact. Cost: reads the journals of every run."""
    found = [(run.id, one) for run in runs for one in run.artifacts]
    columns: dict[str, Column] = {
        "run": Text([run for run, _ in found]),
        "artifact": Text([one.name for _, one in found]),
        "version": ints(one.version for _, one in found),
        "size_bytes": ints(one.size_bytes for _, one in found),
        "sha256": Text([one.sha256 for _, one in found]),
        "step": ints(one.step for _, one in found),
        "time": times(one.time_ns for _, one in found),
        "attempt": ints(one.attempt for _, one in found),
    }
    return Frame(columns, PLAIN)


FRAMES: dict[str, Callable[[Iterable[Run]], Frame]] = {
    "runs": runs_frame,
    "params": params_frame,
    "metrics": metrics_frame,
    "artifacts": artifacts_frame,
}
TABLES = ("runs", "params", "metrics", "points", "artifacts")

# ------------------------------------------------------------------------------------------------------------- points

SERIES, VALUES = "_series", "_values"
KIND = f"CASE kind WHEN {ord('i')} THEN 'int' WHEN {ord('b')} THEN 'bool' ELSE 'float' END"
POINTS_VIEW = (
    f"SELECT run, name, metric, rank, step, value, {KIND} AS kind, time FROM {VALUES} JOIN {SERIES} USING (series)"
)
"""The table of points out of the two that are handed over: that of values with the number of its series, and that of series."""


class PointsInPieces:
    """Gathers series into frames of a million rows; what a row repeats of its series is kept once."""

    def __init__(self) -> None:
        self.series: list[Part] = []  # without their points

    def frames(self, parts: Iterable[Part]) -> Iterator[Frame]:
        """Yield frames of values, at least one."""
        gathered: list[Part] = []
        count = 0
        for part in parts:
            gathered.append(part)
            count += len(part.points.values)
            if count >= ROWS_AT_ONCE:
                yield self._frame(gathered)
                gathered, count = [], 0
        if gathered or not self.series:
            yield self._frame(gathered)

    def _frame(self, parts: Sequence[Part]) -> Frame:
        begin = len(self.series)
        points = join([part.points for part in parts]) if parts else nothing()
        lengths = [len(part.points.values) for part in parts]
        self.series += [part._replace(points=nothing()) for part in parts]
        columns: dict[str, Column] = {
            "series": Numbers(np.repeat(np.arange(begin, len(self.series), dtype=np.int32), lengths)),
            "step": Numbers(points.steps, ~points.final),
            "value": Numbers(points.values),
            "kind": Numbers(points.kinds),
            "time": Numbers(points.times_ns.view("datetime64[ns]")),
        }
        return Frame(columns, PLAIN)

    def series_frame(self, since: int = 0) -> Frame:
        """Give one row for each series that was gathered, from a number on."""
        series = self.series[since:]
        columns: dict[str, Column] = {
            "series": Numbers(np.arange(since, len(self.series), dtype=np.int32)),
            "run": Text([part.run.id for part in series]),
            "name": Text([part.run.name for part in series]),
            "metric": Text([part.metric for part in series]),
            "rank": ints(part.rank for part in series),
        }
        return Frame(columns, PLAIN)


# ------------------------------------------------------------------------------------------------------------- params


def param_text(value: Any) -> str | None:
    """Render a param, tag or summary value as it would be typed: exact, text bare, lists as JSON; None for None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return str(value)
    return _json(value)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _kind(value: Any) -> str:
    kinds = {bool: "bool", int: "int", float: "float", str: "text", type(None): "none"}
    return kinds.get(type(value), "json")


def _json(value: Any) -> str:
    return dumps_view(view(value)[0]) if not _is_plain(value) else json.dumps(value, ensure_ascii=False)


def _is_plain(value: Any) -> bool:
    """Say whether a value is text by text, which any JSON writer takes."""
    return isinstance(value, dict) and all(type(one) in (str, int, bool) for one in value.values())
