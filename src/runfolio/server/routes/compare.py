"""Runs side by side, and why two of them are not the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from runfolio.errors import NotFound, UsageError
from runfolio.query.diff_facts import diff_facts
from runfolio.query.packed import whole
from runfolio.query.side_by_side import Row, side_by_side
from runfolio.query.store import Store
from runfolio.server import limits
from runfolio.server.answers import Answer, as_json
from runfolio.server.asked import Asked, Chosen, RunRef
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.served import chosen


class CompareAsked(Chosen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs, and which of them the others are compared with; the first by default."""

    baseline: RunRef | None = None


class DiffAsked(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two runs."""

    a: RunRef
    b: RunRef


class RunName(Struct, frozen=True):
    """A run by name."""

    id: str
    name: str | None
    status: str


class RowFacts(Struct, frozen=True):
    """What is not the same in all the runs, a value for each; `best` are places of runs, `delta` the difference from the baseline."""

    key: str
    values: list[Any]
    differs: list[bool]
    goal: str | None
    best: Sequence[int]
    delta: Sequence[float | None]


class SectionFacts(Struct, frozen=True):
    """What differs in params, metrics, code, packages or machine; `equal` more are the same in all."""

    name: str
    equal: int
    rows: list[RowFacts]


class Comparison(Struct, frozen=True):
    """Runs side by side."""

    runs: list[RunName]
    baseline: str | None
    sections: list[SectionFacts]


async def compare(call: Call[CompareAsked, None]) -> Answer:
    """Set runs side by side."""
    return await call.ask(lambda store: as_json(_comparison(store, call.asked)))


def _comparison(store: Store, asked: CompareAsked) -> Comparison:
    runs = chosen(store, asked)
    if len(runs) > limits.COMPARED_MAX:
        raise UsageError(
            f"{len(runs):,} runs; at most {limits.COMPARED_MAX} stand side by side: narrow the filter, or name runs"
        )
    if not runs:
        return Comparison([], None, [])
    places = [at for at, run in enumerate(runs) if asked.baseline and run.id.startswith(asked.baseline)]
    if asked.baseline and not places and not _is_named(asked.baseline, asked.runs):
        raise NotFound("the baseline is none of these runs")
    baseline = places[0] if places else 0
    runs = whole(store, runs)
    sections = [
        SectionFacts(one.name, one.equal, [_row(row) for row in one.rows])
        for one in side_by_side(store, runs, baseline)
    ]
    return Comparison([RunName(run.id, run.name, run.status) for run in runs], runs[baseline].id, sections)


def _is_named(baseline: str, runs: str | None) -> bool:
    """Say whether the baseline is one of the runs that were named: one that is gone since is left out as the others are."""
    return any(ref.startswith(baseline) or baseline.startswith(ref) for ref in (runs or "").split(",") if ref)


def _row(row: Row) -> RowFacts:
    return RowFacts(*row)


async def diff(call: Call[DiffAsked, None]) -> Answer:
    """Say why it changed."""
    return await call.ask(lambda store: as_json(diff_facts(store.diff(call.asked.a, call.asked.b))))


ROUTES = [
    Route(
        "GET", f"{STORE}/compare", compare, "runs side by side, only what differs", asked=CompareAsked, gives=Comparison
    ),
    Route(
        "GET", f"{STORE}/diff", diff, "why it changed from one run to another", asked=DiffAsked, gives=dict[str, Any]
    ),
]
