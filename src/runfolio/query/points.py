"""The points of many runs as one table: long, a row for each point, or wide, a column for each metric."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import MetricNotFound
from runfolio.model.names import shown
from runfolio.query.frame import Column, Frame, Numbers, Text
from runfolio.query.series import NO_RANK
from runfolio.query.table import Column as Values
from runfolio.query.table import Rows
from runfolio.store.index import Index
from runfolio.store.packed_points import unpack
from runfolio.store.points import Merged, join, nothing
from runfolio.store.run_files import RunFiles

if TYPE_CHECKING:
    from runfolio.query.run import Run

Rank = int | None
KINDS = {ord("f"): "float", ord("i"): "int", ord("b"): "bool"}
LONG = ("run", "name", "metric", "rank", "step", "value", "kind", "time")
_FEW = 50
"""Of more metrics than these the journals of a run are read once for all, and the cache is let be."""

_REMEMBERED_AT_ONCE = 500


class Part(NamedTuple):
    """The points of one series."""

    run: Run
    metric: str
    rank: Rank
    points: Merged


class Points(Frame):
    """Points of runs, as a reader sees them: newest run first, then by metric, rank and step; those without a step at the end.

    Long: `run`, `name`, `metric`, `rank`, `step`, `value`, `kind` (float, int or bool: what was logged), `time` (UTC, in ns). Wide: `run`, `name`,
    `rank`, `step`, `time` (of the latest point in the row), and a column for each metric, of ints where only ints were logged.
    NaN is NaN, and null is what is missing: a point without a step, a writer without a rank, a metric that a row does not have.
    """

    def __init__(self, columns: dict[str, Column], wide: bool) -> None:
        super().__init__(columns)
        self.wide = wide


def points_of(index: Index, runs: Sequence[Run], metrics: Sequence[str] | None, wide: bool) -> Points:
    """Read the points of runs.

    Args:
        metrics: None for all.
    """
    parts = list(read_parts(index, runs, metrics))
    if wide:
        names = list(dict.fromkeys(part.metric for part in parts)) if metrics is None else list(dict.fromkeys(metrics))
        return Points(_wide(parts, names), wide=True)
    return Points(long_columns(parts), wide=False)


def check_metrics(metrics: Iterable[str], known: frozenset[str]) -> None:
    """Refuse a metric that no run of a store has.

    Raises:
        MetricNotFound: it is named, with those near to it.
    """
    for name in metrics:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name[:200], sorted(known)[:2000], 3) or sorted(known)[:10]
            has = f"they have {', '.join(map(shown, near))}" if near else "they have none yet"
            raise MetricNotFound(f"no run of this store has the metric {shown(name)}; {has}")


# ------------------------------------------------------------------------------------------------------------ reading


def read_parts(index: Index, runs: Iterable[Run], metrics: Sequence[str] | None) -> Iterator[Part]:
    """Read the series of runs, a run at a time, as they stood at the last look; from the cache where it has them."""
    asked = None if metrics is None else list(dict.fromkeys(metrics))
    fresh: list[tuple[str, str, Rank, Merged]] = []
    for run in runs:
        names = list(run.metrics) if asked is None else [name for name in asked if name in run.metrics]
        if not names:
            continue
        if asked is None or len(names) > _FEW:
            yield from _from_journals(index.files(run.id), run, names)
            continue
        for name in names:
            parts = _cached(index, run, name)
            if parts is None:
                parts = list(_from_journals(index.files(run.id), run, [name]))
                fresh += [(run.id, part.metric, part.rank, part.points) for part in parts]
            yield from parts
        if len(fresh) >= _REMEMBERED_AT_ONCE:
            index.remember(fresh, least=1)
            fresh = []
    if fresh:
        index.remember(fresh, least=1)


def _cached(index: Index, run: Run, name: str) -> list[Part] | None:
    """Give the series of a metric where the cache has all of them, of this version of the run."""
    found = index.cache.points(name, run.id)
    parts = []
    for rank in run.metrics.ranks(name):
        version, blob = found.get((run.id, rank), (None, b""))
        if version != run._row.version:
            return None
        parts.append(Part(run, name, rank, unpack(blob)))
    return parts


def _from_journals(files: RunFiles, run: Run, names: Iterable[str]) -> Iterator[Part]:
    ranks = files.ranks()
    for name in names:
        for rank in ranks.get(name, []):
            points = files.merged(name, rank)
            if points is not None:
                yield Part(run, name, rank, points)


# --------------------------------------------------------------------------------------------------------------- long


def long_columns(parts: Sequence[Part]) -> dict[str, Column]:
    """Give points as columns, a row for each."""
    counts = np.array([len(part.points.values) for part in parts], np.int64)
    ranks = np.array([NO_RANK if part.rank is None else part.rank for part in parts], np.int64)
    points = join([part.points for part in parts]) if parts else nothing()
    rank = np.repeat(ranks, counts)
    return {
        "run": Text([part.run.id for part in parts], counts),
        "name": Text([part.run.name for part in parts], counts),
        "metric": Text([part.metric for part in parts], counts),
        "rank": Numbers(rank, rank != NO_RANK),
        "step": Numbers(points.steps, ~points.final),
        "value": Numbers(points.values),
        "kind": _kinds(points.kinds),
        "time": Numbers(points.times_ns.view("datetime64[ns]")),
    }


def _kinds(kinds: NDArray[np.uint8]) -> Text:
    """Give the kinds in words, one for each stretch of equal ones."""
    begins = np.flatnonzero(np.concatenate([[len(kinds) > 0], kinds[1:] != kinds[:-1]]))
    counts = np.diff(np.append(begins, len(kinds))).astype(np.int64)
    return Text([KINDS[kind] for kind in kinds[begins].tolist()], counts)


# --------------------------------------------------------------------------------------------------------------- wide


def _wide(parts: Sequence[Part], metrics: Sequence[str]) -> dict[str, Column]:
    tables = [_rows_of(group) for group in _by_run(parts)]
    total = sum(len(rows.steps) for _, rows, _ in tables)
    values = {name: Values(total) for name in metrics}
    base = 0
    for group, rows, _ in tables:
        at = 0
        for part in group:
            count = len(part.points.values)
            values[part.metric].put(rows.places[at : at + count] + base, part.points)
            at += count
        base += len(rows.steps)
    counts = np.array([len(rows.steps) for _, rows, _ in tables], np.int64)
    rank = _concatenated([rows.ranks for _, rows, _ in tables])
    final = _concatenated([rows.final for _, rows, _ in tables]).astype(np.bool_)
    columns: dict[str, Column] = {
        "run": Text([run.id for _, _, run in tables], counts),
        "name": Text([run.name for _, _, run in tables], counts),
        "rank": Numbers(rank, rank != NO_RANK),
        "step": Numbers(_concatenated([rows.steps for _, rows, _ in tables]), ~final),
        "time": Numbers(_concatenated([rows.last_ns for _, rows, _ in tables]).view("datetime64[ns]")),
    }
    for name, column in values.items():
        columns[f"metric.{name}" if name in columns else name] = _of_kind(column)
    return columns


def _by_run(parts: Sequence[Part]) -> Iterator[list[Part]]:
    group: list[Part] = []
    for part in parts:
        if group and group[0].run.id != part.run.id:
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _rows_of(group: list[Part]) -> tuple[list[Part], Rows, Run]:
    return group, Rows([(part.rank, part.points) for part in group]), group[0].run


def _concatenated(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)


def _of_kind(column: Values) -> Numbers:
    """Give a metric as ints or bools where nothing else was logged, else as floats."""
    kinds = set(np.unique(column.kinds[column.present]).tolist())
    values = column.values
    if kinds in ({ord("i")}, {ord("b")}):
        values = np.where(column.present, values, 0.0).astype(np.int64 if kinds == {ord("i")} else np.bool_)
    return Numbers(values, column.present)
