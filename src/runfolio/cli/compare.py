"""`runfolio compare`: runs side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from runfolio.cli.arguments import NAME, RUN, check_form, check_one_form, data_options, selection_options, text_options
from runfolio.cli.comma_names import comma_names
from runfolio.cli.render.screen import PIPE_COLUMNS_OF_TABLES, screen, write_data, write_lines
from runfolio.errors import NotFound, StoreNotFound, UsageError
from runfolio.model.names import shown

if TYPE_CHECKING:
    from runfolio.query.compare import Comparison


@click.command()
@click.argument("runs", nargs=-1, type=RUN, metavar="[RUN]...")
@click.option("--experiment", "-e", type=NAME, help="All runs of one experiment.")
@click.option("--tag", "-t", metavar="KEY[=VALUE]", type=NAME, help="All runs with this tag.")
@selection_options
@click.option("--params", "-p", metavar="A,B", help="These params, also where they are the same.")
@click.option("--metrics", "-m", metavar="A,B", help="Only these metrics.")
@click.option("--wide", "-w", is_flag=True, help="All columns, however wide.")
@data_options("One JSON object: a list for each param and metric, a value for each run.", "CSV, a row for each run.")
@text_options
def command(
    runs: tuple[str, ...],
    experiment: str | None,
    tag: str | None,
    filter: str | None,
    sort: str | None,
    params: str | None,
    metrics: str | None,
    wide: bool,
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
    markdown: bool,
    latex: bool,
) -> None:
    """Compare runs, all of them by default: the params that differ, the last value of each metric, which is best."""
    check_form(as_json, as_csv, spreadsheet)
    check_one_form(json=as_json, csv=as_csv, markdown=markdown, latex=latex)
    if runs and (experiment or tag or filter or sort):
        raise UsageError("name runs, or choose them by --experiment, --tag, --filter and --sort")
    found = _compare(runs, {"experiment": experiment, "tag": tag, "filter": filter, "sort": sort})
    if not found.runs and not as_json and not as_csv:
        filtered = experiment or tag or filter
        return write_lines(["No run fits." if filtered else "No runs yet. runfolio list says how to start one."])
    from runfolio.cli.render import comparison

    known = {**found.params, **found.same_params}
    some_params = list(found.params) if params is None else _named(params, list(known), "param")
    some_metrics = list(found.metrics) if metrics is None else _named(metrics, list(found.metrics), "metric")
    if as_json:
        from runfolio.cli.render.json_text import write_json

        write_json(comparison.comparison_facts(found, some_params, some_metrics))
    elif as_csv:
        write_data(comparison.comparison_csv(found, some_params, some_metrics, spreadsheet))
    elif markdown or latex:
        write_lines(comparison.comparison_text(found, some_params, some_metrics, latex))
    else:
        to = screen(PIPE_COLUMNS_OF_TABLES)
        write_lines(comparison.comparison_lines(found, some_params, some_metrics, to, wide))


def _compare(runs: tuple[str, ...], wanted: dict[str, Any]) -> Comparison:
    from runfolio.cli.stores import open_to_find, open_to_read
    from runfolio.query.compare import Comparison

    try:
        store = open_to_find(runs[0]) if runs else open_to_read()
    except StoreNotFound:
        return Comparison([])
    named = {run.id: run for run in map(store.run, runs)}
    return store.compare(list(named.values()) or store.runs(**wanted))


def _named(told: str, known: list[str], what: str) -> list[str]:
    """Read a list of names with commas; a name that holds commas itself may stand alone.

    Raises:
        NotFound: none of the runs has it.
    """
    names = comma_names(told, known)
    for name in names:
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name[:200], known[:2000], 3) or known[:5]
            hint = f"; they have {', '.join(map(shown, near))}" if near else ""
            raise NotFound(f"none of these runs has the {what} {shown(name)}{hint}")
    return names
