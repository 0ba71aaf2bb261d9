"""`runfolio stats`: is it really better? Groups over seeds, and a verdict for each pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runfolio.cli.arguments import NAME, check_form, check_one_form, data_options, text_options
from runfolio.cli.comma_names import comma_names, params_of
from runfolio.cli.render.screen import PIPE_COLUMNS_OF_TABLES, screen, write_data, write_lines
from runfolio.errors import NotFound, StoreNotFound

if TYPE_CHECKING:
    from runfolio.query.groups import Groups
    from runfolio.query.run import Run


@click.command()
@click.argument("metric", type=NAME)
@click.option(
    "--by", "-b", multiple=True, metavar="PARAM", help="A group for each value; several with commas, or again."
)
@click.option(
    "--over", multiple=True, metavar="PARAM", help="What varies inside a group; default: the param of the seed."
)
@click.option("--goal", "-g", type=click.Choice(("min", "max")), help="Is low or high better? Default: as declared.")
@click.option("--filter", "-f", "where", metavar="EXPR", help="Only the runs that fit.")
@click.option("--experiment", "-e", type=NAME, help="Only the runs of one experiment.")
@click.option(
    "--at", metavar="WHICH", default="last", help="last (default), best, first, min, max, mean, median, auc or a step."
)
@click.option("--wide", "-w", is_flag=True, help="All columns, however wide.")
@data_options("One JSON object: groups, and comparisons with their verdicts.", "CSV, a row for each group.")
@text_options
def command(
    metric: str,
    by: tuple[str, ...],
    over: tuple[str, ...],
    goal: str | None,
    where: str | None,
    experiment: str | None,
    at: str,
    wide: bool,
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
    markdown: bool,
    latex: bool,
) -> None:
    """Compare groups of runs over seeds: which is really better, which lies inside the noise, how many more seeds it takes."""
    check_form(as_json, as_csv, spreadsheet)
    check_one_form(json=as_json, csv=as_csv, markdown=markdown, latex=latex)
    from runfolio.cli.render import verdicts
    from runfolio.query.groups import groups

    runs = _runs(where, experiment)
    found: Groups = groups(runs, metric, _params(by, runs), _params(over, runs), goal, _at(at))
    if as_json:
        from runfolio.cli.render.json_text import write_json
        from runfolio.query.groups_facts import groups_facts

        write_json(groups_facts(found))
    elif as_csv:
        write_data(verdicts.groups_csv(found, spreadsheet))
    elif markdown or latex:
        write_lines((verdicts.groups_latex if latex else verdicts.groups_markdown)(found))
    else:
        write_lines(verdicts.groups_lines(found, screen(PIPE_COLUMNS_OF_TABLES), wide))


def _runs(where: str | None, experiment: str | None) -> list[Run]:
    from runfolio.cli.stores import open_to_read

    try:
        store = open_to_read()
    except StoreNotFound as gone:
        raise NotFound(f"no runs yet: {gone}") from gone
    found = store.runs(where, experiment=experiment)
    if not found and (where or experiment):
        raise NotFound("no run fits; runfolio list shows what there is")
    return list(found)


def _params(told: tuple[str, ...], runs: list[Run]) -> list[str] | None:
    """Read the names of params; one that holds commas itself may stand alone."""
    names: list[str] = []
    for one in told:
        names += comma_names(one, params_of(runs))
    return names or None


def _at(told: str) -> str | int:
    return int(told) if told.lstrip("-").isdecimal() else told
