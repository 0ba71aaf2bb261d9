"""What a selection of runs is made of."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from runfolio.query.run import Run
from runfolio.query.store import Store
from runfolio.query.survey import overview as looked
from runfolio.query.survey.folded import Folded, folded
from runfolio.server import limits
from runfolio.server.ahead import FIRST_ROWS, chart_asked
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
    found, answer = await call.ask(lambda store: _answer(store, call.asked))
    if call.asked == _FIRST:
        call.served.first_chart = _chart_of(found)
    return answer


def ready(store: Store) -> str | None:
    """Find out what the first page of a store asks, so that it is remembered, and give what its large chart asks.

    For 10,000 runs that is half a second of work, and a browser takes as long to start.
    """
    return _chart_of(_answer(store, _FIRST)[0])


_FIRST = OverviewAsked(rows=FIRST_ROWS)


def _chart_of(first: Overview) -> str | None:
    """Give what the large chart asks for all runs; None where there is nothing to draw."""
    metric = _metric_drawn(first)
    table = first.table
    if metric is None or table is None:
        return None
    if table.folded is not None:
        return chart_asked(metric, table.folded.runs, table.folded.total)
    return chart_asked(metric, first.total, None)


def _metric_drawn(found: Overview) -> str | None:
    if found.objective is not None:
        return found.objective.metric
    keys = [*(one.key for one in found.columns), *(one.key for one in found.same)]
    names = (key.removeprefix("metrics.").rpartition(".")[0] for key in keys if key.startswith("metrics."))
    return next(names, None)


def _answer(store: Store, asked: OverviewAsked) -> tuple[Overview, Answer]:
    found = _overview(store, asked)
    return found, as_json(found)


def _overview(store: Store, asked: OverviewAsked) -> Overview:
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
