"""A store in memory: the oracle. It keeps each call as plain Python and answers by the merge rule, slowly and without a trick.

`MemoryStore` has the same verbs as the package: `start`, `attach`, `resume`, `open_store`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from runfolio.errors import (
    AmbiguousRun,
    MetricNotFound,
    ParamConflict,
    RankRequired,
    RunIsClosed,
    RunIsLive,
    RunNotFound,
    UsageError,
)
from runfolio.journal.writer import FINAL, NoStep
from runfolio.model.ids import new_id
from runfolio.model.numbers import check_step, kind_of, scalar
from runfolio.model.params import flatten, same


class Call(NamedTuple):
    """One value of one call of `log`; the calls of a run stand in a list, in the order of time."""

    attempt: int
    rank: int | None
    metric: str
    step: int | None
    value: float
    kind: str


class MemorySeries(NamedTuple):
    """The visible points of a metric."""

    steps: list[int]
    values: list[float]
    kinds: list[str]
    final: list[bool]


class MemoryMetric(NamedTuple):
    """A series summed up; NaN is left out of min, max, mean and count."""

    first: float
    last: float
    min: float
    max: float
    mean: float
    count: int  # type: ignore[assignment]
    nan_count: int
    step_of_min: int | None
    step_of_max: int | None


class MemoryRun:
    """What a reader sees of a run."""

    def __init__(self, experiment: str, name: str | None, notes: str | None) -> None:
        self.id = new_id()
        self.experiment, self.name, self.notes = experiment, name, notes
        self.status = "running"
        self.attempt = 1
        self.params: dict[str, Any] = {}
        self.params_here: dict[str, Any] = {}
        self.summary: dict[str, Any] = {}
        self.tags: dict[str, str] = {}
        self.rewinds: list[tuple[int, int]] = []
        self.calls: list[Call] = []
        self.events: list[dict[str, Any]] = []

    def visible(self) -> list[Call]:
        """Give the calls that no later attempt has rewound."""
        return [call for call in self.calls if call.step is None or not self._hidden(call.attempt, call.step)]

    def _hidden(self, attempt: int, step: int) -> bool:
        return any(later > attempt and step >= rewound for later, rewound in self.rewinds)

    def series(self, metric: str, rank: int | str | None = None) -> MemorySeries:
        """Give a series by the merge rule: the later write of a step wins, points without a step stand at the end."""
        calls = [call for call in self.visible() if call.metric == metric]
        ranks = sorted({call.rank for call in calls}, key=lambda r: -1 if r is None else r)
        if not calls or (isinstance(rank, int) and rank not in ranks):
            raise MetricNotFound(f"run has no metric {metric!r} of this rank")
        if rank is None and len(ranks) > 1:
            raise RankRequired(f"{metric!r} has the ranks {ranks}", ranks)
        calls = [call for call in calls if rank is None or call.rank == rank]
        stepped = {call.step: call for call in calls if call.step is not None}
        shown = [stepped[step] for step in sorted(stepped)] + [call for call in calls if call.step is None]
        return MemorySeries(
            [call.step or 0 for call in shown],
            [call.value for call in shown],
            [call.kind for call in shown],
            [call.step is None for call in shown],
        )

    @property
    def metrics(self) -> dict[str, MemoryMetric]:
        """Sum up each metric that has one rank only."""
        pairs = {(call.metric, call.rank) for call in self.visible()}
        names = [metric for metric, _ in pairs]
        return {name: _sum_up(self.series(name)) for name in names if names.count(name) == 1}


def _sum_up(series: MemorySeries) -> MemoryMetric:
    points = zip(
        series.values, [None if f else s for s, f in zip(series.steps, series.final, strict=True)], strict=True
    )
    known = [(value, step) for value, step in points if not math.isnan(value)]
    low = min(known, key=lambda point: point[0], default=(math.nan, None))
    high = max(known, key=lambda point: point[0], default=(math.nan, None))
    mean = sum(value for value, _ in known) / len(known) if known else math.nan
    nans = len(series.values) - len(known)
    return MemoryMetric(series.values[0], series.values[-1], low[0], high[0], mean, len(known), nans, low[1], high[1])


class MemoryWriter:
    """What a script writes through: takes events."""

    def __init__(self, run: MemoryRun, attempt: int, rank: int | None, owner: bool, high: int | None) -> None:
        self._run, self.attempt, self.rank, self._owner, self._high = run, attempt, rank, owner, high
        self._lock = threading.RLock()
        self._open = True
        self.id = run.id
        self.summary = run.summary

    def log(self, metrics: Mapping[str, object], step: int | NoStep | None = None, **more: object) -> None:
        self._check_open()
        metrics = {**metrics, **more}
        if "step" in metrics:
            raise UsageError("'step' is not a metric")
        values = {key: scalar(value, key) for key, value in metrics.items()}
        with self._lock:
            if step is None:
                step = 0 if self._high is None else self._high + 1
            at = None if step is FINAL else check_step(step)
            for key, value in values.items():
                self._run.calls.append(Call(self.attempt, self.rank, key, at, value, kind_of(value)))
            if values and at is not None:
                self._high = at if self._high is None else max(self._high, at)

    def event(self, body: Mapping[str, Any]) -> None:
        self._check_open()
        self._run.events.append(dict(body))

    def sync(self) -> bool:
        return True

    flush = sync

    def set_params(self, params: Mapping[str, Any]) -> None:
        for key, value in flatten(params).items():
            have = self._run.params_here
            if key in have and not same(have[key], value):
                raise ParamConflict(f"param {key!r} is already {have[key]!r}", key, have[key], value)
            have[key] = self._run.params[key] = value

    def add_tags(self, *keys: str, **pairs: str) -> None:
        self._run.tags.update(dict.fromkeys(keys, ""), **pairs)

    def finish(self, status: str = "finished") -> None:
        self._open = False
        if self._owner:
            self._run.status = status

    def _check_open(self) -> None:
        if not self._open:
            raise RunIsClosed("this run is finished")


class MemoryStore:
    """Runs in memory, and the package's verbs to write and read them."""

    def __init__(self) -> None:
        self._runs: dict[str, MemoryRun] = {}

    def start(
        self,
        experiment: str = "default",
        name: str | None = None,
        params: Mapping[str, Any] | None = None,
        tags: tuple[str, ...] = (),
        notes: str | None = None,
        rank: int | None = None,
    ) -> MemoryWriter:
        run = MemoryRun(experiment, name, notes)
        self._runs[run.id] = run
        writer = MemoryWriter(run, 1, rank, True, None)
        writer.set_params(params or {})
        writer.add_tags(*tags)
        return writer

    def attach(self, run_id: str, rank: int | None = None) -> MemoryWriter:
        run = self.run(run_id)
        return MemoryWriter(run, run.attempt, rank, False, _high(run))

    def resume(
        self, run_id: str, rewind_to: int | None = None, *, force: bool = False, rank: int | None = None
    ) -> MemoryWriter:
        run = self.run(run_id)
        if run.status == "running" and not force:
            raise RunIsLive("this run is still running")
        run.attempt, run.status, run.params_here = run.attempt + 1, "running", {}
        if rewind_to is not None:
            run.rewinds.append((run.attempt, rewind_to))
        return MemoryWriter(run, run.attempt, rank, True, _high(run))

    def open_store(self) -> Self:
        return self

    def runs(self) -> list[MemoryRun]:
        return list(self._runs.values())

    def run(self, ref: str) -> MemoryRun:
        """Find a run by its id, a unique prefix, its name, or as the latest."""
        runs = self.runs()
        found = [run for run in runs if ref == run.id] or [run for run in runs if ref == run.name][-1:]
        found = found or (runs[-1:] if ref == "latest" else [run for run in runs if ref and run.id.startswith(ref)])
        if len(found) > 1:
            raise AmbiguousRun(f"{ref!r} fits {len(found)} runs", [run.id for run in found])
        if not found:
            raise RunNotFound(f"no run answers to {ref!r}")
        return found[0]


def _high(run: MemoryRun) -> int | None:
    return max((call.step for call in run.visible() if call.step is not None), default=None)
