"""Read one metric of many runs a slice at a time: no more points are held than a slice has, and other questions come in between.

The store is not locked for it but to remember what was read. The cache's file is asked by a connection of its own, which keeps few pages: through
that of the index the points of one chart would fill 32 MB.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from runfolio.model.states import RUNNING
from runfolio.query.points import Part
from runfolio.query.series import mean_of_ranks
from runfolio.query.survey.layouts import RANK
from runfolio.store.packed_points import unpack
from runfolio.store.points import Merged
from runfolio.store.run_files import RunFiles

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store
    from runfolio.query.survey.layouts import Found

Rank = int | None
AskedRank = int | str
"""A number, "none": of writers without one, "mean": over the ranks at each step, "all"."""
RUNS_AT_ONCE, POINTS_AT_ONCE = 50, 200_000
_REMEMBERED_AT_ONCE = 2 << 20  # bytes, about
_POINT_BYTES = 16
_PAGES_KIB_MAX = 1 << 10
_WAIT_S = 0.5
_POINTS = "SELECT run, rank, version, points FROM points WHERE metric = ? AND run IN ({marks})"
Fresh = list[tuple[str, str, Rank, Merged]]


class Asked(NamedTuple):
    """A run to read, about how many points it has, and the ranks of it that the index knows."""

    run: Run
    points: int
    ranks: tuple[Rank, ...]


def read(store: Store, asked: Iterable[Asked], metric: str) -> Iterator[list[Part]]:
    """Read series, a slice of runs at a time. A run that has gone in between, or has no such metric any more, has no part."""
    with closing(_Remembered(store.cache_path)) as remembered:
        yield from _read(store, asked, metric, remembered)


def _read(store: Store, asked: Iterable[Asked], metric: str, remembered: _Remembered) -> Iterator[list[Part]]:
    fresh: Fresh = []
    for some in cut(asked):
        found, new = _slice(store, some, metric, remembered)
        yield found
        fresh += new
        del found, new
        if sum(_POINT_BYTES * len(one[3].values) for one in fresh) > _REMEMBERED_AT_ONCE:
            _remember(store, fresh)
            fresh = []
    _remember(store, fresh)


def cut(asked: Iterable[Asked]) -> Iterator[list[Asked]]:
    """Cut runs into slices of a bounded number of runs and points; at least one run each."""
    some: list[Asked] = []
    points = 0
    for one in asked:
        if some and (len(some) >= RUNS_AT_ONCE or points + one.points > POINTS_AT_ONCE):
            yield some
            some, points = [], 0
        some.append(one)
        points += one.points
    if some:
        yield some


class _Remembered:
    """The points that the cache's file remembers. Whatever is wrong with it, there are none, and the journals are read."""

    def __init__(self, path: str) -> None:
        self._db: sqlite3.Connection | None = None
        try:
            self._db = sqlite3.connect(
                f"file:{quote(path)}?mode=ro", uri=True, timeout=_WAIT_S, check_same_thread=False
            )
            self._db.execute("PRAGMA trusted_schema = OFF")
            self._db.execute(f"PRAGMA cache_size = -{_PAGES_KIB_MAX}")
        except sqlite3.Error:
            self.close()

    def points(self, metric: str, ids: Sequence[str]) -> dict[tuple[str, Rank], tuple[int, bytes]]:
        """Give the points of a metric by run and rank, each with the version of the run that they are of."""
        if self._db is None:
            return {}
        try:
            rows = self._db.execute(_POINTS.format(marks=", ".join("?" * len(ids))), (metric, *ids)).fetchall()
        except (sqlite3.Error, UnicodeEncodeError):
            return {}
        return {(run, rank): (version, blob) for run, rank, version, blob in rows}

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def _slice(store: Store, some: Sequence[Asked], metric: str, remembered: _Remembered) -> tuple[list[Part], Fresh]:
    """Read a slice: from the cache what it has of these versions of the runs, the rest from the journals."""
    cached = remembered.points(metric, [one.run.id for one in some])
    found: list[Part] = []
    fresh: Fresh = []
    for run, _, ranks in some:
        blobs = [cached.get((run.id, rank), (None, b"")) for rank in ranks]
        if all(version == run._row.version for version, _ in blobs):
            found += [Part(run, metric, rank, unpack(blob)) for rank, (_, blob) in zip(ranks, blobs, strict=True)]
            continue
        parts = _from_journals(store, run, metric, ranks)
        found += parts
        if run.status != RUNNING:
            fresh += [(run.id, metric, part.rank, part.points) for part in parts]
    return found, fresh


def _from_journals(store: Store, run: Run, metric: str, ranks: Sequence[Rank]) -> list[Part]:
    """Read the journals of a run; those of a run that goes on are held for the next time, so that only what is new is read."""
    if run.status == RUNNING:
        return store.ask(lambda index: _merged(index.files(run.id), run, metric, ranks))
    return _merged(read_files(store, run.id), run, metric, ranks)


def read_files(store: Store, run_id: str) -> RunFiles:
    """Read the journals of a run that has come to rest, and hold nothing of them."""
    files = RunFiles(store._layout, run_id)
    files.refresh(store.spools)
    return files


def asked_of(runs: Sequence[Run], found: Found) -> list[Asked]:
    """Give those of the runs that have a metric, by its summaries."""
    told: dict[int, tuple[int, tuple[Rank, ...]]] = {}
    ranked = ((found.rows["flags"] & RANK) != 0).tolist()
    for owner, points, has, rank in zip(
        found.owners.tolist(), found.points.tolist(), ranked, found.rows["rank"].tolist(), strict=True
    ):
        before, ranks = told.get(owner, (0, ()))
        told[owner] = (before + points, (*ranks, rank if has else None))
    return [Asked(runs[owner], points, ranks) for owner, (points, ranks) in told.items()]


def _merged(files: RunFiles, run: Run, metric: str, ranks: Sequence[Rank]) -> list[Part]:
    found = ((rank, files.merged(metric, rank)) for rank in ranks)
    return [Part(run, metric, rank, points) for rank, points in found if points is not None]


def _remember(store: Store, fresh: Fresh) -> None:
    if fresh:
        store.ask(lambda index: index.remember(fresh, least=1))


def by_run(parts: Iterable[Part], metric: str) -> Iterator[tuple[Run, Merged]]:
    """Give one series for each run: of several ranks the mean at each step."""
    group: list[Part] = []
    for part in parts:
        if group and group[0].run.id != part.run.id:
            yield group[0].run, _together(group, metric)
            group = []
        group.append(part)
    if group:
        yield group[0].run, _together(group, metric)


def _together(group: list[Part], metric: str) -> Merged:
    if len(group) == 1:
        return group[0].points
    return mean_of_ranks(metric, [(part.rank, part.points) for part in group])._points
