"""`runfolio table`: means and intervals over seeds for a paper, with a stamp that can be checked."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import click

from runfolio.cli.arguments import NAME, check_form, check_one_form, data_options, text_options
from runfolio.cli.render.screen import PIPE_COLUMNS_OF_TABLES, screen, write, write_data, write_lines
from runfolio.errors import NotFound, RunfolioError, StoreNotFound, UsageError
from runfolio.model.names import printable, shown

if TYPE_CHECKING:
    from runfolio.cli.render.stamp import Stamped
    from runfolio.query.paper import PaperTable, Recipe
    from runfolio.query.store import Store

_FORMS = {".tex": "latex", ".md": "markdown", ".csv": "csv", ".json": "json"}
_TOLD_MAX = 20


@click.command()
@click.option(
    "--rows", "-r", multiple=True, metavar="PARAM", help="A row for each value; several with commas, or again."
)
@click.option(
    "--cols", "-c", multiple=True, metavar="METRIC", help="A column for each; with --metric, a param: for each value."
)
@click.option("--metric", "-m", metavar="METRIC", help="What stands in the columns, where --cols is a param.")
@click.option(
    "--over", multiple=True, metavar="PARAM", help="What varies inside a cell; default: the param of the seed."
)
@click.option(
    "--goal", "-g", metavar="min|max", help="Is low or high better? Default: as declared; acc=max,loss=min for each."
)
@click.option(
    "--at", metavar="WHICH", default="last", help="last (default), best, first, min, max, mean, median, auc or a step."
)
@click.option("--filter", "-f", metavar="EXPR", help="Only the runs that fit.")
@click.option("--experiment", "-e", type=NAME, help="Only the runs of one experiment.")
@click.option("--out", "-o", type=click.Path(), metavar="FILE", help="Write a file: .tex, .md, .csv or .json.")
@click.option("--force", is_flag=True, help="With --out: replace a file that is no such table.")
@click.option(
    "--check",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Say whether the tables in FILE still match the store.",
)
@text_options
@data_options("One JSON object: rows, each with its cells, and the stamp.", "CSV, a row for each row.")
def command(
    rows: tuple[str, ...],
    cols: tuple[str, ...],
    metric: str | None,
    over: tuple[str, ...],
    goal: str | None,
    at: str,
    filter: str | None,
    experiment: str | None,
    out: str | None,
    force: bool,
    check: str | None,
    markdown: bool,
    latex: bool,
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
) -> int:
    """Make a table for a paper: mean ± 95 % interval (runs) for each setting, the best in bold, and what is not
    significantly different from it too.

    Exit code: 0; with --check 1 where a table no longer matches the store.
    """
    check_form(as_json, as_csv, spreadsheet)
    check_one_form(markdown=markdown, latex=latex, csv=as_csv, json=as_json)
    if check is not None:
        if rows or cols or out:
            raise UsageError(
                "--check takes what it needs from the stamp in the file: leave --rows, --cols and --out out"
            )
        return _check(check)
    from runfolio.query.paper import Recipe

    recipe = Recipe(_split(rows), _split(cols), metric, _split(over) or None, goal, at, filter, experiment)
    asked = {"latex": latex, "markdown": markdown, "csv": as_csv, "json": as_json}
    form = next((name for name, wanted in asked.items() if wanted), None)
    if out is None:
        _write(recipe.make(_store()), recipe, form, spreadsheet)
    else:
        _write_file(out, recipe, form or _form_of(out), spreadsheet, force)
    return 0


def _split(told: tuple[str, ...]) -> list[str]:
    return [name.strip() for one in told for name in one.split(",") if name.strip()]


def _store() -> Store:
    from runfolio.cli.stores import open_to_read

    try:
        return open_to_read()
    except StoreNotFound as gone:
        raise NotFound(f"no runs yet: {gone}") from gone


# ----------------------------------------------------------------------------------------------------------- writing


def _write(table: PaperTable, recipe: Recipe, form: str | None, spreadsheet: bool) -> None:
    from runfolio.cli.render.paper import text_lines

    if form is None:
        write_lines(text_lines(table, screen(PIPE_COLUMNS_OF_TABLES)))
    else:
        write_data(_text(table, recipe, form, spreadsheet))


def _text(table: PaperTable, recipe: Recipe, form: str, spreadsheet: bool) -> str:
    from runfolio.cli.render.json_text import strict
    from runfolio.cli.render.paper import paper_csv, paper_facts
    from runfolio.cli.render.stamp import stamp_facts, stamped_lines
    from runfolio.model.strict_json import dumps_view

    if form == "csv":
        return paper_csv(table, spreadsheet)
    if form == "json":
        return dumps_view(strict({**paper_facts(table), "stamp": stamp_facts(table, recipe)}), indent=2) + "\n"
    return "\n".join(stamped_lines(table, recipe, form)) + "\n"


def _form_of(path: str) -> str:
    ending = os.path.splitext(path)[1].lower()
    if ending not in _FORMS:
        raise UsageError(f"{shown(path)} ends in none of {', '.join(_FORMS)}; say --latex, --markdown, --csv or --json")
    return _FORMS[ending]


def _write_file(path: str, recipe: Recipe, form: str, spreadsheet: bool, force: bool) -> None:
    """Write the table to a file, whole or not at all; a file with anything else in it is left."""
    if not force and os.path.exists(path) and not _is_ours(path):
        raise UsageError(f"{shown(path)} is there, and begins as no table of runfolio's; --force replaces it")
    text = _text(recipe.make(_store()), recipe, form, spreadsheet)
    draft = f"{path}.{os.getpid()}.draft"
    try:
        with open(draft, "x", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(draft, path)
    finally:
        if os.path.exists(draft):
            os.unlink(draft)
    write(f"Wrote {printable(path)}.")


def _is_ours(path: str) -> bool:
    """Say whether a file holds one of our tables and nothing else."""
    from runfolio.cli.render.stamp import is_one_table

    return is_one_table(_read(path))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown(path)} is no text in UTF-8: {error.reason} at byte {error.start:,}") from error


# ---------------------------------------------------------------------------------------------------------- checking


def _check(path: str) -> int:
    """Compare each stamped table of a file with the store; give the exit code."""
    from runfolio.cli.render.stamp import Stamped, stamps_in

    found = list(stamps_in(_read(path)))
    if not found:
        raise UsageError(f"{shown(path)} has no table with a stamp; runfolio table --out makes one")
    store, bad = _store(), 0
    for one in found:
        told = _changes(one, store) if isinstance(one, Stamped) else ["its stamp cannot be read"]
        line = one.line if isinstance(one, Stamped) else one
        name = f"{printable(path)}:{line}"
        if not told:
            write(f"{name}: the table matches the store.")
            continue
        bad += 1
        write(f"{name}: the table no longer matches the store:")
        write_lines([f"  {printable(change)}" for change in told[:_TOLD_MAX]])
        if len(told) > _TOLD_MAX:
            write(f"  … {len(told) - _TOLD_MAX:,} more")
        if isinstance(one, Stamped):
            write(f"  Make it anew: {printable(_command(one))}")
    return 1 if bad else 0


def _changes(one: Stamped, store: Store) -> list[str]:
    """Say what is not as it was; nothing where all is."""
    from runfolio.cli.render.stamp import changes

    try:
        table = one.recipe.make(store)
    except RunfolioError as error:
        return [f"it cannot be made any more: {str(error).splitlines()[0]}"]
    return changes(one, table)


def _command(one: Stamped) -> str:
    """Give the command that makes a table."""
    recipe = one.recipe
    words = ["runfolio", "table", "--rows", ",".join(recipe.rows), "--cols", ",".join(recipe.cols)]
    options = {
        "metric": recipe.metric,
        "over": ",".join(recipe.over or ()),
        "goal": recipe.goal,
        "at": recipe.at if recipe.at != "last" else None,
        "filter": recipe.filter,
        "experiment": recipe.experiment,
    }
    for name, value in options.items():
        words += [f"--{name}", value] if value else []
    return shlex.join([*words, f"--{one.form}"])
