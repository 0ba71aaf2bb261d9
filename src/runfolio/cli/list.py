"""`runfolio list`: the runs, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from runfolio.cli.arguments import NAME, check_form, data_options
from runfolio.cli.render.screen import PIPE_COLUMNS_OF_TABLES, screen, write, write_data, write_lines
from runfolio.errors import StoreNotFound
from runfolio.model import states
from runfolio.model.names import printable, shown

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

NEWEST = 50


@click.command()
@click.option("--status", "-s", multiple=True, type=click.Choice(states.ALL), help="Only these; may be given again.")
@click.option("--experiment", "-e", type=NAME, help="Only the runs of one experiment.")
@click.option("--name", "-n", metavar="PATTERN", type=NAME, help="Only names that fit, with * and ?.")
@click.option("--tag", "-t", metavar="KEY[=VALUE]", type=NAME, help="Only runs with this tag.")
@click.option("--limit", "-l", type=click.IntRange(1), help=f"How many; the newest {NEWEST} by default.")
@click.option("--all", "-a", "everything", is_flag=True, help="All of them, not only the newest.")
@click.option("--deleted", is_flag=True, help="Deleted runs, which restore brings back.")
@click.option("--archived", is_flag=True, help="Archived runs too.")
@click.option("--columns", "-c", metavar="A,B", help="These columns: params, metrics, summary or any field.")
@click.option("--wide", "-w", is_flag=True, help="All columns, however wide.")
@data_options("A JSON list, an object for each run.", "CSV, a row for each run.")
def command(
    limit: int | None,
    everything: bool,
    deleted: bool,
    archived: bool,
    columns: str | None,
    wide: bool,
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
    status: tuple[str, ...],
    **filters: str | None,
) -> None:
    """List runs, newest first: how they stand, the params that vary between them, the last value of each metric."""
    check_form(as_json, as_csv, spreadsheet)
    wanted: dict[str, Any] = {
        **filters,
        "status": status or None,
        "deleted": deleted,
        "archived": None if archived else False,
    }
    store = _store()
    limit = None if everything else limit or NEWEST
    found = store.runs(**wanted, limit=limit) if store else []
    paths = [path.strip() for path in columns.split(",") if path.strip()] if columns else None
    if as_json:
        _write_json(found, paths)
    elif as_csv:
        _write_csv(found, paths, spreadsheet)
    elif not found:
        write_lines(_nothing(any(filters.values()) or bool(status), deleted))
    else:
        _write_table(found, paths, wide)
        total = len(store.runs(**wanted)) if store and len(found) == limit else len(found)
        if total > len(found):
            write(f"{len(found):,} of {total:,} runs; --all shows the rest.")
    if store and not as_json and not as_csv:
        from runfolio.cli.stores import waiting_lines

        write_lines(waiting_lines(store.path))


def _store() -> Store | None:
    from runfolio.cli.stores import open_to_read

    try:
        return open_to_read()
    except StoreNotFound:
        return None


def _nothing(filtered: bool, deleted: bool) -> list[str]:
    """Say what to do next where there is nothing."""
    from runfolio.store.layout import find

    if filtered:
        return ["No run fits. runfolio list --all shows what there is."]
    if deleted:
        return ["No run is deleted."]
    root = printable(find().root)
    return [
        "No runs yet. Start one:",
        "  runfolio run train.py -p lr=0.1",
        '  or in Python: run = runfolio.start(params={"lr": 0.1}); run.log({"loss": 0.3})',
        f"They will be kept in {root}; runfolio doctor says why there.",
    ]


def _write_table(found: list[Run], paths: list[str] | None, wide: bool) -> None:
    from runfolio.cli.render.runs import runs_table, standing_columns
    from runfolio.cli.render.table import plain_table

    to = screen(PIPE_COLUMNS_OF_TABLES)
    if paths is None:
        return write_lines(runs_table(found, to, wide))
    from runfolio.cli.render.chosen import chosen_columns

    chosen, unknown = chosen_columns(found, paths, whole=not to.terminal)
    write_lines(plain_table([*standing_columns(found, to)[:2], *chosen], to))
    _warn_of_unknown(unknown)


def _warn_of_unknown(paths: list[str]) -> None:
    for path in paths:
        click.echo(f"runfolio: no run shown has {shown(path)}.", err=True)


def _write_json(found: list[Run], paths: list[str] | None) -> None:
    from runfolio.cli.facts import facts_of
    from runfolio.cli.fields import MISSING, find
    from runfolio.cli.render.json_text import write_json

    facts = [facts_of(run) for run in found]
    if paths is not None:
        picked = [{path: find(one, path) for path in ("id", *paths)} for one in facts]
        _warn_of_unknown([path for path in paths if picked and all(one[path] is MISSING for one in picked)])
        facts = [{path: value for path, value in one.items() if value is not MISSING} for one in picked]
    write_json(facts)


def _write_csv(found: list[Run], paths: list[str] | None, spreadsheet: bool) -> None:
    from runfolio.cli.render.chosen import csv_of_runs

    write_data(csv_of_runs(found, paths, spreadsheet))
    if paths and found:
        from runfolio.cli.facts import facts_of
        from runfolio.cli.fields import MISSING, find

        facts = [facts_of(run) for run in found]
        _warn_of_unknown([path for path in paths if all(find(one, path) is MISSING for one in facts)])
