"""`runfolio archive`: put runs out of sight, or back."""

from __future__ import annotations

import click

from runfolio.cli.chosen_runs import edit_options, make_change


@click.command()
@edit_options
@click.option("--back", is_flag=True, help="Bring them back into sight.")
def command(runs: tuple[str, ...], filter: str | None, dry_run: bool, back: bool) -> None:
    """Put runs out of sight: `runfolio list --archived` shows them too. Nothing is freed. `runfolio undo` takes it back."""
    from runfolio.query.editing import Edit

    make_change(runs, filter, Edit(archived=not back), "Brought back" if back else "Archived", dry_run)
