"""Runs folded into rows: equal but for the seed, or in the params that are told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from runfolio.query.store import Store
from runfolio.query.survey import folded as folding
from runfolio.server import limits
from runfolio.server.answers import Answer, as_json
from runfolio.server.asked import Chosen, Name, Text
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.served import chosen

Params = Annotated[tuple[Name, ...], Meta(max_length=limits.COLUMNS_MAX)]


class FoldedAsked(Chosen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs, by which params, over which, and by which number of which metric; whether rows name their runs."""

    by: Params = ()
    over: Params = ()
    metric: Name | None = None
    at: Literal["last", "best", "first", "min", "max", "mean"] = "last"
    sort: Text | None = None
    offset: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Annotated[int, Meta(ge=0, le=limits.ROWS_MAX)] = 200
    members: bool = True


class RowFacts(Struct, frozen=True):
    """Runs that are equal in the params of a row. `values` are theirs in the order of `ids`, null where one has none; `n` of them count."""

    params: dict[str, Any]
    runs: int
    n: int
    ids: list[str]
    values: list[float | None]
    statuses: dict[str, int]
    mean: float | None
    low: float | None
    high: float | None
    median: float | None


class Folded(Struct, frozen=True):
    """A page of rows."""

    total: int
    offset: int
    runs: int
    by: list[str]
    over: list[str]
    metric: str | None
    interval: str
    rows: list[RowFacts]


async def folded(call: Call[FoldedAsked, None]) -> Answer:
    """Give a page of rows."""
    return await call.ask(lambda store: as_json(_folded(store, call.asked)))


def _folded(store: Store, asked: FoldedAsked) -> Folded:
    found = folding.folded(
        store,
        chosen(store, asked),
        by=asked.by,
        over=asked.over,
        metric=asked.metric,
        at=asked.at,
        sort=asked.sort,
        offset=asked.offset,
        limit=asked.limit,
    )
    return page_of(found, asked.offset, asked.members)


def page_of(found: folding.Folded, offset: int, members: bool = True) -> Folded:
    """Give a page as the app takes it."""
    rows = [_row(row, members) for row in found.rows]
    return Folded(found.total, offset, found.runs, found.by, found.over, found.metric, folding.INTERVAL, rows)


def _row(row: folding.Row, members: bool) -> RowFacts:
    return RowFacts(
        params=row.params,
        runs=len(row.runs),
        n=row.n,
        ids=[run.id for run in row.runs] if members else [],
        values=row.values if members else [],
        statuses=row.statuses,
        mean=row.mean,
        low=row.low,
        high=row.high,
        median=row.median,
    )


ROUTES = [
    Route("GET", f"{STORE}/folded", folded, "runs folded over seeds, or grouped", asked=FoldedAsked, gives=Folded),
]
