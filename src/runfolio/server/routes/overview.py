"""What a selection of runs is made of."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from runfolio.query.run import Run
from runfolio.query.store import Store
from runfolio.query.survey import overview as looked
from runfolio.query.survey.folded import Folded, folded
from runfolio.server import limits
from runfolio.server.answers import Answer, as_json
from runfolio.server.asked import Chosen, Name
from runfolio.server.routes.folded import Folded as FoldedFacts
from runfolio.server.routes.folded import page_of
from runfolio.server.routes.runs import Rows, first_rows
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.served import chosen

_ALWAYS = ("name", "status", "created", "ended")
"""What the first cells of a row are made of."""
_FEW_MEMBERS, _MEMBERS_MAX = 20, 320
"""Of a group, and in all: a reader sees the rows of some thirty groups at first."""


class OverviewAsked(Chosen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs; by which metric what varies is weighed, the objective by default; how many rows of the table to give along."""

    metric: Name | None = None
    rows: Annotated[int, Meta(ge=0, le=limits.ROWS_MAX)] = 0


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


class Table(Struct, frozen=True):
    """The first rows of the table as it is where nobody has chosen anything: folded over seeds where that brings runs together, with the runs of the
    first rows, as many as are asked for at a time; else one for each run.
    """

    runs: Rows | None = None
    folded: FoldedFacts | None = None


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
    folds: bool
    table: Table | None = None


async def overview(call: Call[OverviewAsked, None]) -> Answer:
    """Tell what runs are made of."""
    return await call.ask(lambda store: as_json(overview_of(store, call.asked)))


def overview_of(store: Store, asked: OverviewAsked) -> Overview:
    """Look over the chosen runs."""
    runs = chosen(store, asked)
    found = looked.overview_of(store, runs, asked.metric)
    return Overview(
        total=found.total,
        running=found.running,
        objective=ObjectiveFacts(*found.objective) if found.objective else None,
        over=found.over,
        columns=[ColumnFacts(*one) for one in found.columns],
        same=[SameFacts(*one) for one in found.same],
        empty=found.empty,
        default=found.default,
        folds=found.folds,
        table=_table(store, runs, found, asked.rows) if asked.rows else None,
    )


def _table(store: Store, runs: list[Run], found: looked.Overview, rows: int) -> Table:
    columns = (*_ALWAYS, *found.default)
    if found.folds:
        metric = _folded_by(found)
        best_first = "metric" if found.objective and found.objective.goal == "min" else "-metric"
        groups = folded(store, runs, metric=metric, sort="-n" if metric is None else best_first, limit=rows)
        if groups.runs < 2 or groups.total <= looked.ALONE_SHARE * groups.runs:
            members = _members(groups)
            return Table(folded=page_of(groups, 0), runs=first_rows(store, members, columns, len(members)))
    return Table(runs=first_rows(store, runs, columns, rows))


def _members(groups: Folded) -> list[Run]:
    """Give the runs of the first rows, but of those that have many."""
    found: list[Run] = []
    for row in groups.rows:
        if len(row.runs) > _FEW_MEMBERS:
            continue
        if len(found) + len(row.runs) > _MEMBERS_MAX:
            break
        found += row.runs
    return found


def _folded_by(found: looked.Overview) -> str | None:
    """Give the metric that groups show: the objective, else the first one that has a column."""
    if found.objective:
        return found.objective.metric
    shown = (key.removeprefix("metrics.").removesuffix(".last") for key in found.default if key.startswith("metrics."))
    return next(shown, None)


ROUTES = [
    Route("GET", f"{STORE}/overview", overview, "what runs are made of", asked=OverviewAsked, gives=Overview),
]
