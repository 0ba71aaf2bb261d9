"""`runfolio note`: replace the notes of a run."""

from __future__ import annotations

import sys

import click

from runfolio.cli.arguments import RUN
from runfolio.cli.chosen_runs import make_change
from runfolio.errors import UsageError


@click.command()
@click.argument("run", type=RUN)
@click.argument("text", required=False)
@click.option("--append", is_flag=True, help="Put the text behind what is there.")
def command(run: str, text: str | None, append: bool) -> None:
    """Replace the notes of RUN by TEXT: - reads standard input, without TEXT your editor opens. `runfolio undo` takes it back."""
    from runfolio.query.editing import Edit
    from runfolio.query.store import Store
    from runfolio.store.layout import find

    with Store(find()) as store:
        before = store.run(run).notes
    told = _text(text, before)
    if told is None:
        return click.echo("Nothing changed.")
    whole = f"{before.rstrip()}\n{told}" if append and before else told
    make_change((run,), None, Edit(notes=whole), "Noted", False)


def _text(text: str | None, before: str) -> str | None:
    if text == "-":
        return sys.stdin.read().rstrip("\n")
    if text is not None:
        return text
    if not sys.stdin.isatty():
        raise UsageError("which text? Give it, or - to read it from standard input")
    told = click.edit(before, extension=".md")
    return None if told is None else told.rstrip("\n")
