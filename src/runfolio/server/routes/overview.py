"""What a selection of runs is made of."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from runfolio.query.store import Store
from runfolio.query.survey import overview as looked
from runfolio.server.answers import Answer, as_json
from runfolio.server.asked import Chosen, Name
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.served import chosen


class OverviewAsked(Chosen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs; and by which metric what varies is weighed, the objective by default."""

    metric: Name | None = None


class ObjectiveFacts(Struct, frozen=True):
    """The metric that matters most, and whether it is better low or high; null where nobody can tell."""

    metric: str
    goal: str | None


class ColumnFacts(Struct, frozen=True):
    """What varies: of what kind, in how many runs, with how many values; the share of the objective's variance that it explains alone."""

    key: str
    kind: str
    filled: int
    distinct: int
    weight: float | None


class SameFacts(Struct, frozen=True):
    """What is the same in all the runs."""

    key: str
    value: Any


class Overview(Struct, frozen=True):
    """What a selection of runs is made of."""

    total: int
    running: int
    objective: ObjectiveFacts | None
    over: list[str]
    columns: list[ColumnFacts]
    same: list[SameFacts]
    empty: list[str]
    default: list[str]


async def overview(call: Call[OverviewAsked, None]) -> Answer:
    """Tell what runs are made of."""
    return await call.ask(lambda store: as_json(_overview(store, call.asked)))


def _overview(store: Store, asked: OverviewAsked) -> Overview:
    found = looked.overview_of(store, chosen(store, asked), asked.metric)
    return Overview(
        total=found.total,
        running=found.running,
        objective=ObjectiveFacts(*found.objective) if found.objective else None,
        over=found.over,
        columns=[ColumnFacts(*one) for one in found.columns],
        same=[SameFacts(*one) for one in found.same],
        empty=found.empty,
        default=found.default,
    )


ROUTES = [
    Route("GET", f"{STORE}/overview", overview, "what runs are made of", asked=OverviewAsked, gives=Overview),
]
