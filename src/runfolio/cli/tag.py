"""`runfolio tag`: add and remove tags."""

from __future__ import annotations

import click

from runfolio.cli.chosen_runs import edit_options, make_change
from runfolio.errors import UsageError


@click.command()
@edit_options
@click.option("--add", "-a", multiple=True, metavar="KEY[=VALUE]", help="Add a tag; may be given again.")
@click.option("--remove", "-r", multiple=True, metavar="KEY", help="Remove a tag; may be given again.")
def command(
    runs: tuple[str, ...], filter: str | None, dry_run: bool, add: tuple[str, ...], remove: tuple[str, ...]
) -> None:
    """Add and remove tags of runs: runfolio tag 3f9a --add best --add team=ml. `runfolio undo` takes it back."""
    from runfolio.query.editing import Edit

    if not (add or remove):
        raise UsageError("which tags? --add KEY[=VALUE], --remove KEY")
    pairs = (told.partition("=") for told in add)
    make_change(
        runs, filter, Edit(add_tags={key: value for key, _, value in pairs}, remove_tags=remove), "Tagged", dry_run
    )
