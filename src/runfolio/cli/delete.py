"""`runfolio delete`: mark runs as deleted."""

from __future__ import annotations

import click

from runfolio.cli.chosen_runs import edit_options, make_change
from runfolio.cli.render.screen import write
from runfolio.model.ids import short
from runfolio.model.states import RUNNING


@click.command()
@edit_options
def command(runs: tuple[str, ...], filter: str | None, dry_run: bool) -> None:
    """Delete runs. Their bytes stay until `runfolio gc`; until then `runfolio restore` or `runfolio undo` brings them back."""
    from runfolio.query.editing import Edit

    planned = make_change(runs, filter, Edit(deleted=True), "Deleted", dry_run)
    if not planned or dry_run:
        return
    running = sum(one.run.status == RUNNING for one in planned)
    if running:
        write(
            f"{'It is' if len(planned) == 1 else f'{running} of them are'} running: gc leaves it alone until it ends."
        )
    few = " ".join(short(one.run.id) for one in planned) if len(planned) <= 5 else ""
    write(f"Bring back: runfolio {f'restore {few}' if few else 'undo'}")
    write("Free the space: runfolio gc")
