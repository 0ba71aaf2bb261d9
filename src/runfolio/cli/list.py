"""`runfolio list`: the runs, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from runfolio.cli.arguments import NAME, check_form, check_one_form, data_options, selection_options, text_options
from runfolio.cli.comma_names import comma_names, params_of
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
@selection_options
@click.option(
    "--group-by",
    "-g",
    metavar="A,B",
    help="One row for each value of these params: how many runs, the mean of each metric.",
)
@click.option("--limit", "-l", type=click.IntRange(1), help=f"How many; the newest {NEWEST} by default.")
@click.option("--all", "-a", "everything", is_flag=True, help="All of them, not only the newest.")
@click.option("--deleted", is_flag=True, help="Deleted runs, which restore brings back.")
@click.option("--archived", is_flag=True, help="Archived runs too.")
@click.option("--columns", "-c", metavar="A,B", help="These columns: params, metrics, summary or any field.")
@click.option("--wide", "-w", is_flag=True, help="All columns, however wide.")
@data_options("A JSON list, an object for each run.", "CSV, a row for each run.")
@text_options
def command(
    filter: str | None,
    sort: str | None,
    group_by: str | None,
    limit: int | None,
    everything: bool,
    deleted: bool,
    archived: bool,
    columns: str | None,
    wide: bool,
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
    markdown: bool,
    latex: bool,
    status: tuple[str, ...],
    **filters: str | None,
) -> None:
    """List runs, newest first: how they stand, the params that vary between them, the last value of each metric."""
    check_form(as_json, as_csv, spreadsheet)
    check_one_form(json=as_json, csv=as_csv, markdown=markdown, latex=latex)
    wanted: dict[str, Any] = {
        **filters,
        "filter": filter,
        "sort": sort,
        "status": status or None,
        "deleted": deleted,
        "archived": None if archived else False,
    }
    store = _store()
    limit = None if everything or (group_by and not limit) else limit or NEWEST
    found = store.runs(**wanted, limit=limit) if store else []
    paths = (
        comma_names(columns, params_of(found) | {name for run in found for name in run.metrics}) if columns else None
    )
    nothing = [] if found else _nothing(any(filters.values()) or bool(status or filter), deleted)
    if group_by:
        return _write_groups(
            found, comma_names(group_by, params_of(found)), nothing, as_json, as_csv, spreadsheet, markdown, latex
        )
    if as_json:
        _write_json(found, paths)
    elif as_csv:
        _write_csv(found, paths, spreadsheet)
    elif markdown or latex:
        _write_text(found, paths, latex)
    elif not found:
        write_lines(nothing)
    else:
        _write_table(found, paths, wide)
        total = len(store.runs(**wanted)) if store and len(found) == limit else len(found)
        if total > len(found):
            write(f"{len(found):,} of {total:,} runs; --all shows the rest.")
    if store and not (as_json or as_csv or markdown or latex):
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


def _write_text(found: list[Run], paths: list[str] | None, latex: bool) -> None:
    """Write Markdown or LaTeX: the named columns, or the params that vary and the last value of each metric."""
    from runfolio.cli.render.chosen import chosen_columns
    from runfolio.cli.render.forms import latex_lines, markdown_lines
    from runfolio.cli.render.runs import metric_names, varying_params
    from runfolio.cli.render.table import WHOLE, column
    from runfolio.model.ids import short

    if paths is None:
        paths = [
            *(f"params.{key}" for key in varying_params(found)),
            *(f"metrics.{name}" for name in metric_names(found)),
        ]
    chosen, unknown = chosen_columns(found, paths, whole=True)
    first = column("run", [run.name or short(run.id) for run in found], limit=WHOLE)
    write_lines((latex_lines if latex else markdown_lines)([first, *chosen]))
    _warn_of_unknown(unknown)


def _write_groups(
    found: list[Run],
    params: list[str],
    nothing: list[str],
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
    markdown: bool,
    latex: bool,
) -> None:
    from runfolio.cli.render.forms import latex_lines, markdown_lines
    from runfolio.cli.render.grouped import group_columns, group_facts, groups_of, keys_of
    from runfolio.cli.render.spreadsheet import csv_text
    from runfolio.cli.render.table import plain_table

    keys = keys_of(found, params)
    groups = groups_of(found, keys)
    if as_json:
        from runfolio.cli.render.json_text import write_json

        return write_json(group_facts(groups, keys))
    if not (groups or as_csv or markdown or latex):
        return write_lines(nothing)
    if as_csv:
        facts = group_facts(groups, keys)
        metrics = list(dict.fromkeys(name for one in facts for name in one["metrics"]))
        titles = [*(f"params.{key}" for key in keys), "runs", *(f"metrics.{name}" for name in metrics)]
        rows = (
            [*one["params"].values(), len(one["runs"]), *(one["metrics"].get(name) for name in metrics)]
            for one in facts
        )
        return write_data(csv_text(titles, rows, spreadsheet))
    if markdown or latex:
        return write_lines((latex_lines if latex else markdown_lines)(group_columns(groups, keys, whole=True)))
    write_lines(plain_table(group_columns(groups, keys), screen(PIPE_COLUMNS_OF_TABLES)))


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
