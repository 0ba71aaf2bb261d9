"""`runfolio sql`: ask the runs in SQL."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli.arguments import check_form, check_one_form, data_options
from runfolio.cli.render.screen import PIPE_COLUMNS_OF_TABLES, Screen, screen, write, write_data, write_lines

if TYPE_CHECKING:
    from runfolio.cli.render.table import Column
    from runfolio.query.sql import SqlResult

_SHOWN = 100
_GRACE_S = 5.0
_CELL = 40
_CELL_WHOLE = 1_000_000
_MB = 1 << 20


@click.command()
@click.argument("query", required=True)
@click.option("--limit", "-l", type=click.IntRange(0), help=f"At most so many rows; as a table {_SHOWN} by default.")
@click.option(
    "--time-limit", type=click.FloatRange(0.001), default=60.0, show_default=True, help="Stop after so many seconds."
)
@click.option(
    "--memory", type=click.IntRange(50), default=1000, show_default=True, help="How much the query may take, in MB."
)
@click.option("--wide", "-w", is_flag=True, help="All columns and all text, however wide.")
@data_options("A JSON list, an object for each row.", "CSV, a row for each.")
@click.option("--markdown", is_flag=True, help="A Markdown table.")
def command(
    query: str,
    limit: int | None,
    time_limit: float,
    memory: int,
    wide: bool,
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
    markdown: bool,
) -> None:
    """Answer one SELECT over the tables runs, params, metrics, points and artifacts, in DuckDB's SQL.

    \b
    runfolio sql "select name, status from runs order by created desc"
    runfolio sql "select run, min(value) from points where metric = 'loss' group by run"
    runfolio sql "describe points"

    A QUERY of `-` is read from standard input. Nothing can be changed, and no file is read or written.
    """
    from runfolio.cli.stores import open_to_read

    check_form(as_json, as_csv, spreadsheet)
    check_one_form(json=as_json, csv=as_csv, markdown=markdown)
    if query == "-":
        query = sys.stdin.read()
    if limit is None and not (as_json or as_csv or markdown):
        limit = _SHOWN
    store = open_to_read()
    with _held_back(time_limit, memory):
        found = store.sql(query, limit, time_limit_s=time_limit, memory_mb=memory)
    if as_json:
        _write_json(found)
    elif as_csv:
        from runfolio.cli.render.spreadsheet import csv_text

        write_data(csv_text(found.columns, found.plain(), spreadsheet))
    elif markdown:
        from runfolio.cli.render.forms import markdown_lines

        write_lines(markdown_lines(_columns(found, _CELL_WHOLE)))
    else:
        _write_table(found, screen(PIPE_COLUMNS_OF_TABLES), wide)


@contextmanager
def _held_back(time_limit_s: float, memory_mb: int) -> Iterator[None]:
    """Bound what a single function of SQL may take, which neither an interruption nor DuckDB's own limit reaches: `repeat('x', 1e9)`.

    Memory by the limit of this process, where the system has one; time by ending the process, as nothing else would.
    """
    watchdog = Timer(time_limit_s + _GRACE_S, _end, [time_limit_s])
    watchdog.daemon = True
    before = _limit_memory(2 * memory_mb)
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()
        if before is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_AS, before)


def _limit_memory(more_mb: int) -> tuple[int, int] | None:
    """Let this process take so much more memory, and no more than that; return the limits there were, None where it cannot be done."""
    try:
        import resource

        import duckdb  # noqa: F401  # what loading takes does not count
        import numpy  # noqa: F401

        with open("/proc/self/statm", "rb") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        before = resource.getrlimit(resource.RLIMIT_AS)
        wanted = now + (more_mb + 500) * _MB
        if before[0] != resource.RLIM_INFINITY and before[0] <= wanted:
            return None
        resource.setrlimit(resource.RLIMIT_AS, (wanted, before[1]))
    except (ImportError, OSError, ValueError):
        return None
    return before


def _end(time_limit_s: float) -> None:
    message = f"runfolio: the query took longer than {time_limit_s:g} s and could not be interrupted; --time-limit allows more\n"
    os.write(2, message.encode())
    os._exit(2)


def _write_json(found: SqlResult) -> None:
    from runfolio.cli.render.json_text import write_json
    from runfolio.query.sql import distinct

    names = distinct(found.columns)
    write_json([dict(zip(names, row, strict=True)) for row in found.plain()])


def _write_table(found: SqlResult, to: Screen, wide: bool) -> None:
    from runfolio.cli.render.table import fitting, plain_table

    columns = _columns(found, _CELL_WHOLE if wide else _CELL)
    shown = columns if wide else columns[: max(1, fitting(columns, to.columns))]
    write_lines(plain_table(shown, to))
    if len(shown) < len(columns):
        write(f"{len(columns) - len(shown)} of {len(columns)} columns do not fit: --wide shows all.")
    if found.more:
        write(f"The first {len(found):,} rows; --limit shows more.")
    elif not len(found):
        write("No rows.")


def _columns(found: SqlResult, limit: int) -> list[Column]:
    from runfolio.cli.render.table import column

    rows = list(found.plain())
    return [
        column(name, [_text(row[place]) for row in rows], limit=limit, right=kind in ("int", "float"))
        for place, (name, kind) in enumerate(zip(found.columns, found.kinds, strict=True))
    ]


def _text(value: Any) -> str:
    from runfolio.cli.render.values import param

    return "-" if value is None else param(value)
