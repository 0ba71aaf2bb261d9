"""`runfolio rename`: another name for a run, or for a metric in many runs."""

from __future__ import annotations

import click

from runfolio.cli.arguments import NAME
from runfolio.cli.chosen_runs import make_change
from runfolio.errors import UsageError


@click.command()
@click.argument("old", type=NAME)
@click.argument("new", type=NAME)
@click.option(
    "--metric", "-m", is_flag=True, help="OLD and NEW are names of a metric; the journals keep what was logged."
)
@click.option("--filter", "-f", metavar="EXPR", help="With --metric: only in the runs that fit.")
@click.option("--dry-run", "-n", is_flag=True, help="Only say what would be done.")
def command(old: str, new: str, metric: bool, filter: str | None, dry_run: bool) -> None:
    """Give the run OLD the name NEW. With --metric: show the metric OLD as NEW, in all runs that have it. `runfolio undo` takes it back."""
    from runfolio.query.editing import Edit

    if not metric and filter is not None:
        raise UsageError("--filter is for --metric; a run is renamed by its own id or name")
    if metric:
        make_change((), filter or "True", Edit(metric=(old, new)), "Renamed the metric in", dry_run)
    else:
        make_change((old,), None, Edit(name=new), "Renamed", dry_run)
