"""The metrics of a run in numbers, without their points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from runfolio.errors import MetricNotFound, RankRequired
from runfolio.model.ids import short
from runfolio.model.names import shown
from runfolio.store import summary
from runfolio.store.summary import FIRST, LAST, MAX, MIN, Number, Packed, Raw


class MetricSummary:
    """A series in a few numbers, ints and bools as they were logged. NaN is left out of min, max, mean and count."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Raw) -> None:
        self._raw = raw

    @property
    def first(self) -> Number:
        return summary.value_of(self._raw, FIRST)

    @property
    def last(self) -> Number:
        """At the highest step, or of the last point without a step."""
        return summary.value_of(self._raw, LAST)

    @property
    def min(self) -> Number:
        """NaN, as max and mean, where count is 0."""
        return summary.value_of(self._raw, MIN)

    @property
    def max(self) -> Number:
        return summary.value_of(self._raw, MAX)

    @property
    def mean(self) -> float:
        total: float = self._raw[summary.TOTAL]
        return total / self.count if self.count else math.nan

    @property
    def count(self) -> int:
        return int(self._raw[summary.COUNT])

    @property
    def nan_count(self) -> int:
        return int(self._raw[summary.NAN_COUNT])

    @property
    def step_of_min(self) -> int | None:
        """The step of the first point that has the least value; None for a point without a step."""
        return summary.step_of(self._raw, MIN)

    @property
    def step_of_max(self) -> int | None:
        return summary.step_of(self._raw, MAX)

    @property
    def first_step(self) -> int | None:
        return summary.step_of(self._raw, FIRST)

    @property
    def last_step(self) -> int | None:
        """The step of `last`; None for a point without a step."""
        return summary.step_of(self._raw, LAST)

    @property
    def kind(self) -> str:
        """Of all points: "f" float, "i" int or "b" bool; "f" where they differ."""
        return summary.kind_of(self._raw)

    @property
    def rank(self) -> int | None:
        return summary.rank_of(self._raw)

    def __repr__(self) -> str:
        names = ("last", "min", "max", "mean", "count", "nan_count", "last_step")
        return f"<MetricSummary {', '.join(f'{name}={getattr(self, name)!r}' for name in names)}>"


class Metrics(Mapping[str, MetricSummary]):
    """The metrics of a run by name, in the order first logged."""

    __slots__ = ("_packed", "_run_id")

    def __init__(self, run_id: str, packed: Packed) -> None:
        self._run_id = run_id
        self._packed = packed

    def __getitem__(self, name: str) -> MetricSummary:
        found = self._found(name)
        if len(found) > 1:
            ranks = [summary.rank_of(raw) for raw in found]
            raise RankRequired(
                f"metric {shown(name)} of run {short(self._run_id)} has the ranks {_list(ranks)}; "
                f"ask for one: run.metrics.rank({name!r}, {ranks[-1]})",
                ranks,
            )
        return MetricSummary(found[0])

    def rank(self, name: str, rank: int | None) -> MetricSummary:
        """Give the numbers of one rank; None for points of a writer without a rank."""
        found = self._found(name)
        for raw in found:
            if summary.rank_of(raw) == rank:
                return MetricSummary(raw)
        raise MetricNotFound(
            f"metric {shown(name)} of run {short(self._run_id)} has no rank {rank}, but {_list(self.ranks(name))}"
        )

    def ranks(self, name: str) -> list[int | None]:
        """Give the ranks that have logged a metric; None stands for writers without a rank."""
        return [summary.rank_of(raw) for raw in self._found(name)]

    def _found(self, name: str) -> list[Raw]:
        found = self._packed.raw(name)
        if not found:
            raise MetricNotFound(no_metric(name, self._run_id, list(self)))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self._packed.names))

    def __len__(self) -> int:
        return len(set(self._packed.names))

    def __contains__(self, name: object) -> bool:
        return name in self._packed

    def __repr__(self) -> str:
        return f"<Metrics of run {short(self._run_id)}: {', '.join(self) or 'none'}>"


def no_metric(name: str, run_id: str, there: list[str]) -> str:
    """Say that a run has no such metric, and which it has."""
    from difflib import get_close_matches

    near = get_close_matches(name, there[:2000], 3) or there[:10]
    has = f"it has {', '.join(map(shown, near))}" if near else "it has logged none yet"
    return f"run {short(run_id)} has no metric {shown(name)}; {has}"


def _list(ranks: list[int | None]) -> str:
    return ", ".join("none" if rank is None else str(rank) for rank in ranks)
