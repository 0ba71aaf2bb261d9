"""The metrics of a run in numbers, without their points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from runfolio.errors import MetricNotFound, RankRequired
from runfolio.model.ids import short
from runfolio.model.names import shown
from runfolio.store.summary import Number, Packed, Summary, number


class MetricSummary(NamedTuple):
    """A series in a few numbers, ints and bools as they were logged. NaN is left out of min, max, mean and count."""

    first: Number
    last: Number
    """At the highest step, or of the last point without a step."""
    min: Number
    max: Number
    mean: float
    """NaN, as min and max, where count is 0."""
    count: int  # type: ignore[assignment]  # of the points, not tuple's
    nan_count: int
    step_of_min: int | None
    step_of_max: int | None
    first_step: int | None
    last_step: int | None
    kind: str
    """Of all points: "f", "i" or "b"; "f" where they differ."""
    rank: int | None


class Metrics(Mapping[str, MetricSummary]):
    """The metrics of a run by name, in the order first logged."""

    def __init__(self, run_id: str, packed: Packed) -> None:
        self._run_id = run_id
        self._packed = packed

    def __getitem__(self, name: str) -> MetricSummary:
        found = self._found(name)
        if len(found) > 1:
            raise RankRequired(
                f"metric {shown(name)} of run {short(self._run_id)} has the ranks {_list(found)}; "
                f"ask for one: run.metrics.rank({name!r}, {found[-1].rank})",
                [summary.rank for summary in found],
            )
        return _public(found[0])

    def rank(self, name: str, rank: int | None) -> MetricSummary:
        """Give the numbers of one rank; None for points of a writer without a rank."""
        found = self._found(name)
        for summary in found:
            if summary.rank == rank:
                return _public(summary)
        raise MetricNotFound(
            f"metric {shown(name)} of run {short(self._run_id)} has no rank {rank}, but {_list(found)}"
        )

    def ranks(self, name: str) -> list[int | None]:
        """Give the ranks that have logged a metric; None stands for writers without a rank."""
        return [summary.rank for summary in self._found(name)]

    def _found(self, name: str) -> list[Summary]:
        found = self._packed.of(name)
        if not found:
            raise MetricNotFound(no_metric(name, self._run_id, list(self)))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self._packed.names))

    def __len__(self) -> int:
        return len(set(self._packed.names))

    def __contains__(self, name: object) -> bool:
        return name in self._packed.names

    def __repr__(self) -> str:
        return f"<Metrics of run {short(self._run_id)}: {', '.join(self) or 'none'}>"


def no_metric(name: str, run_id: str, there: list[str]) -> str:
    """Say that a run has no such metric, and which it has."""
    from difflib import get_close_matches

    near = get_close_matches(name, there[:2000], 3) or there[:10]
    has = f"it has {', '.join(map(shown, near))}" if near else "it has logged none yet"
    return f"run {short(run_id)} has no metric {shown(name)}; {has}"


def _list(found: list[Summary]) -> str:
    return ", ".join(str(summary.rank) for summary in found)


def _public(s: Summary) -> MetricSummary:
    return MetricSummary(
        first=number(s.first, s.kinds[0]),
        last=number(s.last, s.kinds[1]),
        min=number(s.min, s.kinds[2]),
        max=number(s.max, s.kinds[3]),
        mean=s.total / s.count if s.count else math.nan,
        count=s.count,
        nan_count=s.nan_count,
        step_of_min=s.min_step,
        step_of_max=s.max_step,
        first_step=s.first_step,
        last_step=s.last_step,
        kind=s.kind,
        rank=s.rank,
    )
