"""`runfolio restore`: take deletes back."""

from __future__ import annotations

import click

from runfolio.cli.chosen_runs import edit_options, make_change


@click.command()
@edit_options
def command(runs: tuple[str, ...], filter: str | None, dry_run: bool) -> None:
    """Bring deleted runs back. `runfolio list --deleted` shows them; after `runfolio gc` they are gone for good."""
    from runfolio.query.editing import Edit

    make_change(runs, filter, Edit(deleted=False), "Restored", dry_run, deleted=True)
