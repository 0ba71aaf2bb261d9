"""Read series: from the cache where it has them as they stand on the disk, else from the journals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from runfolio.errors import MetricNotFound, RankRequired, UsageError
from runfolio.model.ids import short
from runfolio.model.names import shown
from runfolio.query.metrics import no_metric
from runfolio.query.run import Run
from runfolio.query.series import Series, all_ranks, mean_of_ranks
from runfolio.store.index import Index
from runfolio.store.points import Merged, nothing

if TYPE_CHECKING:
    from runfolio.store.run_files import RunFiles

Rank = int | None
AskedRank = int | str | None
_TOGETHER = ("all", "mean")
_FEW = 50


def read_series(index: Index, run: Run, name: str, rank: AskedRank) -> Series:
    """Read a series as it stands on the disk now."""
    known = run.metrics._packed.ranks(name)
    if rank not in _TOGETHER and _has(known, rank):
        picked = pick_rank(name, run.id, known, rank)
        points = index.points(run.id, run._row.version, name, picked)
        if points is not None:
            return Series(name, points)
    by_rank = _read(index.files(run.id), run.id, name, rank)
    index.remember((run.id, name, one, points) for one, points in by_rank)
    return _together(name, by_rank, rank)


def read_several(index: Index, run: Run, names: Sequence[str], rank: AskedRank) -> list[Series]:
    """Read several metrics; of many, the journals are looked at once for all."""
    if len(names) <= _FEW:
        return [read_series(index, run, name, rank) for name in names]
    files = index.files(run.id)
    return [_together(name, _read(files, run.id, name, rank), rank) for name in names]


def read_all(index: Index, runs: Iterable[Run], name: str, rank: AskedRank) -> dict[str, Series]:
    """Read one metric of those runs that have it, as they stood at the last look."""
    runs = [run for run in runs if name in run.metrics]
    cached = index.points_of_all(name, {run.id: run._row.version for run in runs})
    found: dict[str, Series] = {}
    fresh: list[tuple[str, str, Rank, Merged]] = []
    for run in runs:
        known = run.metrics._packed.ranks(name)
        if rank not in (None, *_TOGETHER) and not _has(known, rank):
            continue
        picked = known if rank in _TOGETHER else [pick_rank(name, run.id, known, rank)]
        by_rank = [(one, cached[run.id, one]) for one in picked if (run.id, one) in cached]
        if len(by_rank) < len(picked):
            by_rank = _read(index.files(run.id), run.id, name, rank)
            fresh += [(run.id, name, one, points) for one, points in by_rank]
        found[run.id] = _together(name, by_rank, rank)
    index.remember(fresh, least=1)
    return found


def _has(ranks: list[Rank], asked: AskedRank) -> bool:
    """Say whether one of the ranks is the one asked for."""
    return len(ranks) == 1 if asked is None else (None if asked == "none" else asked) in ranks


def _read(files: RunFiles, run_id: str, name: str, rank: AskedRank) -> list[tuple[Rank, Merged]]:
    """Read the points of the ranks asked for from the journals."""
    ranks = files.ranks().get(name)
    if not ranks:
        raise MetricNotFound(no_metric(name, run_id, list(files.ranks())))
    picked = ranks if rank in _TOGETHER else [pick_rank(name, run_id, ranks, rank)]
    return [(one, points) for one in picked if (points := files.merged(name, one)) is not None]


def _together(name: str, by_rank: list[tuple[Rank, Merged]], rank: AskedRank) -> Series:
    if not by_rank:
        return Series(name, nothing())
    if rank == "all":
        return all_ranks(name, by_rank)
    return mean_of_ranks(name, by_rank) if rank == "mean" else Series(name, by_rank[0][1])


def pick_rank(name: str, run_id: str, ranks: list[Rank], asked: AskedRank) -> Rank:
    """Choose one of the ranks that a metric has.

    Raises:
        RankRequired: there are several, and none was asked for. MetricNotFound: no such rank.
    """
    if asked is None:
        if len(ranks) > 1:
            raise RankRequired(
                f"metric {shown(name)} of run {short(run_id)} has the ranks {_told(ranks)}; pass rank= one of them, "
                '"all" or "mean" ("none": of writers without a rank)',
                list(ranks),
            )
        return ranks[0]
    wanted = None if asked == "none" else asked
    if wanted is not None and (not isinstance(wanted, int) or isinstance(wanted, bool)):
        raise UsageError(f'rank must be a number, None, "none", "all" or "mean", not {asked!r}')
    if wanted not in ranks:
        raise MetricNotFound(f"metric {shown(name)} of run {short(run_id)} has no rank {asked}; it has {_told(ranks)}")
    return wanted


def _told(ranks: list[Rank]) -> str:
    return ", ".join("none" if rank is None else str(rank) for rank in ranks)
