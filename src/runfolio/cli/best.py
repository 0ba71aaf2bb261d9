"""`runfolio best`: the run with the best value of a metric, and what made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from runfolio.cli.arguments import NAME, check_form, check_one_form, data_options, text_options
from runfolio.cli.render.screen import PIPE_COLUMNS_OF_TABLES, screen, write, write_data, write_lines
from runfolio.errors import MetricNotFound, StoreNotFound, UsageError
from runfolio.model.names import printable, shown

if TYPE_CHECKING:
    from runfolio.query.run import Run


@click.command()
@click.argument("metric", type=NAME)
@click.option("--goal", type=click.Choice(["min", "max"]), help="Which is better; by default what run.define has told.")
@click.option("--filter", "-f", metavar="EXPR", help="Only among the runs that fit.")
@click.option("--experiment", "-e", type=NAME, help="Only among the runs of one experiment.")
@click.option(
    "--at",
    type=click.Choice(["best", "last"]),
    default="best",
    show_default=True,
    help="Over the history, or by the last value.",
)
@click.option("--top", "-n", type=click.IntRange(1), default=1, show_default=True, help="How many, the best first.")
@data_options("A JSON list, an object for each run, with its `value`.", "CSV, a row for each run.")
@text_options
def command(
    metric: str,
    goal: str | None,
    filter: str | None,
    experiment: str | None,
    at: str,
    top: int,
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
    markdown: bool,
    latex: bool,
) -> int:
    """Show the run with the best value of METRIC. NaN never wins; of equal runs the older is first.

    Exit code: 0, or 1 where no run has a number of it.
    """
    check_form(as_json, as_csv, spreadsheet)
    check_one_form(json=as_json, csv=as_csv, markdown=markdown, latex=latex)
    found = _best(metric, goal, at, top, {"filter": filter, "experiment": experiment})
    if as_json or as_csv:
        return _write_data(found, as_json, spreadsheet)
    if not found:
        write(f"No run has a number of {shown(metric)}.")
        return 1
    if markdown or latex:
        _write_text(found, metric, latex)
    else:
        _write_table(found, metric)
    return 0


def _best(metric: str, goal: str | None, at: str, top: int, wanted: dict[str, Any]) -> list[tuple[Run, float]]:
    from runfolio.cli.stores import open_to_read

    try:
        store = open_to_read()
    except StoreNotFound:
        return []
    runs = store.runs(**wanted)
    if not runs:
        return []
    if not any(metric in run.metrics for run in runs):
        from runfolio.query.no_metric import no_metric

        raise MetricNotFound(no_metric(metric, runs))
    try:
        return store.ranking(metric, goal, at, runs)[:top]
    except UsageError as unclear:
        if goal:
            raise
        raise UsageError(str(unclear).replace("mode='min' or mode='max'", "--goal min or --goal max")) from unclear


def _write_text(found: list[tuple[Run, float]], metric: str, latex: bool) -> None:
    """Write Markdown or LaTeX: the runs, the metric, and the params that vary."""
    from runfolio.cli.render import values
    from runfolio.cli.render.forms import latex_lines, markdown_lines
    from runfolio.cli.render.runs import param_column, titled, varying_params
    from runfolio.cli.render.table import WHOLE, column
    from runfolio.model.ids import short

    runs = [run for run, _ in found]
    names = column("run", [run.name or short(run.id) for run in runs], limit=WHOLE)
    numbers = titled(metric, [values.number(value) for _, value in found], right=True, whole=True)
    params = [param_column(key, runs, whole=True) for key in varying_params(runs)]
    write_lines((latex_lines if latex else markdown_lines)([names, numbers, *params]))


def _write_table(found: list[tuple[Run, float]], metric: str) -> None:
    from runfolio.cli.render import values
    from runfolio.cli.render.fitting import fit_families
    from runfolio.cli.render.runs import (
        param_column,
        standing_columns,
        standing_that_fit,
        titled,
        varying_params,
    )
    from runfolio.cli.render.table import GAP, plain_table
    from runfolio.cli.render.text import wrap

    to = screen(PIPE_COLUMNS_OF_TABLES)
    runs = [run for run, _ in found]
    if len(found) == 1:
        run, value = found[0]
        write(
            f"{printable(run.name, 60) if run.name else run.id[:8]}  {printable(metric, 60)} {values.number(value)}  ({run.id[:8]})"
        )
        for key, param in run.flat_params.items():
            write(f"  {printable(key, 40)}  {values.param(param)}")
        return
    numbers = titled(metric, [values.number(value) for _, value in found], right=True)
    keys = varying_params(runs)
    standing = standing_columns(runs, to)
    narrower = to._replace(columns=max(to.columns - numbers.cells_wide - GAP, 1))
    fixed = [*standing_that_fit(standing, narrower), numbers]
    (params,) = fit_families(fixed, [(keys, lambda key: param_column(key, runs))], to.columns)
    hidden = len(keys) - len(params)
    told = (
        f"{values.count(hidden, 'param')} {'does' if hidden == 1 else 'do'} not fit: --csv has all." if hidden else ""
    )
    write_lines([*plain_table([*fixed, *params], to), *(wrap(told.split(), to.columns) if hidden else [])])


def _write_data(found: list[tuple[Run, float]], as_json: bool, spreadsheet: bool) -> int:
    from runfolio.cli.facts import facts_of
    from runfolio.cli.render.json_text import write_json
    from runfolio.cli.render.spreadsheet import csv_text

    if as_json:
        write_json([{"value": value, **facts_of(run)} for run, value in found])
    else:
        params = list(dict.fromkeys(key for run, _ in found for key in run.flat_params))
        titles = ["id", "name", "value", *(f"params.{key}" for key in params)]
        rows = ([run.id, run.name, value, *(run.flat_params.get(key) for key in params)] for run, value in found)
        write_data(csv_text(titles, rows, spreadsheet))
    return 0 if found else 1
