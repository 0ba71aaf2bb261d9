"""runfolio import: bring in what other trackers have written."""

from __future__ import annotations

import click

from runfolio.model.names import printable

SYSTEMS = ("yanex", "cs336", "ntn", "lab", "vibe-rl", "runfolio")


@click.command("import")
@click.argument("system", type=click.Choice(SYSTEMS))
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--quiet", "-q", is_flag=True, help="Print only what was skipped, and the count.")
def command(system: str, paths: tuple[str, ...], quiet: bool) -> int:
    """Bring in runs that another tracker wrote, with their own times; or an export of ours, byte for byte.

    \b
    yanex      ~/.yanex, its experiments folder, or one experiment
    cs336      a folder of experiment_*.json, or such files
    ntn        a folder of <name>_seed<n>.json, or such files
    lab        the folder with metadata.json and runs/
    vibe-rl    a run's folder, or runs/
    runfolio   what `runfolio export --format folder` wrote, or another store

    Doing it again takes over only what was added since. The runs answer to their old names. Nothing in PATH is changed.

    Exit code: 0, or 1 where nothing was found.
    """
    from runfolio.convert.foreign import Skipped
    from runfolio.convert.importing import take_in
    from runfolio.store.layout import find

    layout = find(None)
    layout.check()
    new = known = skipped = 0
    for path in paths:
        for taken in take_in(layout, system, path):
            if isinstance(taken, Skipped):
                skipped += 1
                click.echo(f"skipped {printable(taken.path)}: {printable(taken.reason)}", err=True)
                continue
            new, known = new + taken.new, known + (not taken.new)
            if taken.new and not quiet:
                click.echo(f"{taken.run_id[:8]}  {printable(taken.name)}  {taken.added}")
            for part in taken.skipped:
                click.echo(f"skipped in part {printable(part.path)}: {printable(part.reason)}", err=True)
    click.echo(_count(new, known, skipped))
    return 0 if new or known else 1


def _count(new: int, known: int, skipped: int) -> str:
    if not (new or known or skipped):
        return "No runs found there."
    parts = [f"{new} {'run' if new == 1 else 'runs'} brought in"]
    if known:
        parts.append(f"{known} known already")
    if skipped:
        parts.append(f"{skipped} skipped")
    return ", ".join(parts) + "."
