"""`runfolio show`: everything about a run."""

from __future__ import annotations

import click

from runfolio.cli.arguments import RUN, check_form, data_options
from runfolio.cli.render.screen import screen, write_data, write_lines

STEPS = 10


@click.command()
@click.argument("run", type=RUN)
@click.option(
    "--all", "-a", "everything", is_flag=True, help="All steps, params and lines, not only the last or first."
)
@click.option("--steps", type=click.IntRange(1), help=f"How many of the last steps; {STEPS} by default.")
@click.option("--metrics", "-m", metavar="A,B", help="Only these metrics.")
@click.option("--rank", metavar="RANK", default="all", help='One rank, "none", "mean" over the ranks, or "all".')
@click.option("--wide", "-w", is_flag=True, help="All metrics side by side, however wide.")
@data_options("One JSON object.", "The steps as CSV.")
def command(
    run: str,
    everything: bool,
    steps: int | None,
    metrics: str | None,
    rank: str,
    wide: bool,
    as_json: bool,
    as_csv: bool,
    spreadsheet: bool,
) -> None:
    """Show everything about a run: how it stands, what was set, where it ran, and the last steps of its metrics."""
    check_form(as_json, as_csv, spreadsheet)
    from runfolio.cli.rows import chosen_metrics, rows_of
    from runfolio.cli.stores import open_to_find

    found = open_to_find(run).run(run)
    names = chosen_metrics(found, metrics)
    rows = rows_of(found, None if everything else steps or STEPS, rank)
    if as_csv:
        from runfolio.cli.render.results import rows_csv

        return write_data(rows_csv(rows, names, spreadsheet))
    from runfolio.cli.facts import all_facts_of

    facts = all_facts_of(found, None if as_json else ())
    if as_json:
        from runfolio.cli.render.json_text import write_json
        from runfolio.cli.render.results import rows_facts

        return write_json({**facts, **rows_facts(rows, names)})
    from runfolio.cli.render.results import results_lines
    from runfolio.cli.render.run import error_lines, run_lines, warning_lines

    to = screen()
    write_lines([
        *run_lines(facts, to, everything),
        *warning_lines(facts["warnings"], to),
        "",
        *results_lines(rows, names, to, wide),
        *error_lines(facts, to, everything),
    ])  # fmt: skip
