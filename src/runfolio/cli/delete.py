"""`runfolio delete`: mark runs as deleted."""

from __future__ import annotations

import click

from runfolio.cli.arguments import RUN, run_words
from runfolio.cli.render.screen import write
from runfolio.model.ids import short
from runfolio.model.states import RUNNING


@click.command()
@click.argument("runs", nargs=-1, type=RUN, required=True, metavar="RUN...")
def command(runs: tuple[str, ...]) -> None:
    """Delete runs. Their bytes stay until `runfolio gc`; until then `runfolio restore` brings them back."""
    from runfolio.query.store import Store
    from runfolio.store.edits import delete
    from runfolio.store.layout import Layout, find

    with Store(find()) as store:
        found = {run.id: run for run in map(store.run, runs)}  # all of them are known before the first is touched
        for run in found.values():
            if run.deleted:
                write(f"{run_words(run)} is deleted already.")
                continue
            delete(Layout(store.path), run.id)
            still = " It is running: gc leaves it alone until it ends." if run.status == RUNNING else ""
            write(f"Deleted {run_words(run)}.{still}")
    write(f"Bring back: runfolio restore {' '.join(map(short, found))}")
    write("Free the space: runfolio gc")
