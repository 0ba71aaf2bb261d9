"""The table of runs, and one run."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Annotated, Any
from zlib import crc32

from msgspec import Meta, Struct

from runfolio.errors import RunNotFound, UsageError
from runfolio.query.facts import all_facts_of
from runfolio.query.named import runs_named
from runfolio.query.packed import whole
from runfolio.query.run import Run
from runfolio.query.siblings import differing, siblings
from runfolio.query.store import Store
from runfolio.server import limits
from runfolio.server.answers import Answer, as_json, time_ms
from runfolio.server.asked import Asked, Chosen, Name, Text
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.served import chosen
from runfolio.server.sparklines import SPARKLINES
from runfolio.server.table_columns import Reader, order_of, reader_of


class RunsAsked(Chosen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The window of the table: which runs, in which order, which of them and which columns."""

    sort: Text | None = None
    column: Annotated[tuple[Name, ...], Meta(max_length=limits.COLUMNS_MAX)] = ()
    offset: Annotated[int, Meta(ge=0, le=2**53)] = 0
    limit: Annotated[int, Meta(ge=0, le=limits.ROWS_MAX)] = 200
    sparkline: Name | None = None


class Rows(Struct, frozen=True):
    """Rows of the table, by column."""

    total: int
    offset: int
    version: str
    ids: list[str]
    columns: dict[str, list[Any]]
    sparklines: list[list[float | None] | None] | None = None


async def runs(call: Call[RunsAsked, None]) -> Answer:
    """Give a window of the table."""
    return await call.ask(lambda store: as_json(_rows(store, call.asked)))


def _rows(store: Store, asked: RunsAsked) -> Rows:
    if asked.runs is not None and asked.sort:
        raise UsageError("sort orders what q chooses; runs come in the order in which they are named")
    readers = {column: reader_of(column) for column in asked.column}
    found = chosen(store, asked, order_of(asked.sort, store.names()))
    shown = found[asked.offset : asked.offset + asked.limit]
    sparkline = asked.sparkline
    if readers or sparkline is not None:
        shown = whole(store, shown)
    sparklines = None if sparkline is None else SPARKLINES.of(store, shown, sparkline)
    return _window(found, asked.offset, shown, readers, sparklines)


def first_rows(store: Store, found: list[Run], columns: Iterable[str], limit: int) -> Rows:
    """Give the first of these runs."""
    readers = {column: reader_of(column) for column in columns}
    return _window(found, 0, whole(store, found[:limit]), readers)


def _window(
    found: list[Run],
    offset: int,
    shown: list[Run],
    readers: dict[str, Reader],
    sparklines: list[list[float | None] | None] | None = None,
) -> Rows:
    return Rows(
        total=len(found),
        offset=offset,
        version=version_of(found),
        ids=[run.id for run in shown],
        columns={column: [read(run) for run in shown] for column, read in readers.items()},
        sparklines=sparklines,
    )


def version_of(runs: list[Run]) -> str:
    """Give what is another one when any of these runs has changed, come or gone, or stands elsewhere."""
    return f"{crc32(array('Q', [run._row.version for run in runs]).tobytes()):08x}-{len(runs)}"


async def run(call: Call[Asked, None]) -> Answer:
    """Give one run, whole."""
    return await call.ask(lambda store: as_json(_run(store, call.path["run"])))


def _run(store: Store, ref: str) -> dict[str, Any]:
    found = _found(store, ref)
    alike = siblings(found, store.runs(archived=found.archived, deleted=found.deleted))
    return {
        **all_facts_of(found, time_ms),
        "siblings": [one.id for one in alike],
        "differs": differing(found, alike),
    }


def _found(store: Store, ref: str) -> Run:
    """Find a run; `Store.run` looks at the disk, after which all runs must be listed anew for the siblings."""
    try:
        return runs_named(store, [ref])[0]
    except RunNotFound:
        return store.run(ref)


ROUTES = [
    Route("GET", f"{STORE}/runs", runs, "a window of the table of runs, by column", asked=RunsAsked, gives=Rows),
    Route("GET", f"{STORE}/runs/{{run}}", run, "one run, whole", gives=dict[str, Any]),
]
