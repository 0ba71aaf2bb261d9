"""`runfolio restore`: take deletes back."""

from __future__ import annotations

import click

from runfolio.cli.arguments import RUN, run_words
from runfolio.cli.render.screen import write


@click.command()
@click.argument("runs", nargs=-1, type=RUN, required=True, metavar="RUN...")
def command(runs: tuple[str, ...]) -> None:
    """Bring deleted runs back. `runfolio list --deleted` shows them; after `runfolio gc` they are gone for good."""
    from runfolio.query.store import Store
    from runfolio.store.edits import restore
    from runfolio.store.layout import Layout, find

    with Store(find()) as store:
        found = {run.id: run for run in map(store.run, runs)}
        for run in found.values():
            if run.deleted:
                restore(Layout(store.path), run.id)
                write(f"Restored {run_words(run)}.")
            else:
                write(f"{run_words(run)} is not deleted; runfolio list --deleted shows those that are.")
