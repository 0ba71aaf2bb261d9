"""`runfolio undo`: take the last change back."""

from __future__ import annotations

import click

from runfolio.cli.render import values
from runfolio.cli.render.screen import write
from runfolio.model.names import printable


@click.command()
@click.option("--anyone", is_flag=True, help="Also a change that somebody else has made.")
@click.option("--list", "listed", is_flag=True, help="Only show the changes that stand, the latest first.")
def command(anyone: bool, listed: bool) -> int:
    """Take back the last change by you: tags, notes, names, archive, delete. Again takes back the one before.

    Exit code: 0, or 1 where there is nothing to take back.
    """
    from runfolio.query.editing import changes, undo
    from runfolio.store.edits import author
    from runfolio.store.layout import find

    layout = find()
    layout.store_id()
    if listed:
        for change in changes(layout):
            when = values.moment(change.time) if change.time else "-"
            write(
                f"{when}  {printable(change.what)} {values.count(len(change.runs), 'run')}  {printable(change.author)}"
            )
        return 0
    taken = undo(layout, None if anyone else author())
    if taken is None:
        write(
            "Nothing to take back."
            if anyone
            else "Nothing of yours to take back; --anyone looks at the others' changes."
        )
        return 1
    write(f"Taken back: {printable(taken.what)}, {values.count(len(taken.runs), 'run')}.")
    return 0
