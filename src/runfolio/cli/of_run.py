"""The argument RUN: how a shell completes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from runfolio.query.run import Run

_MOST = 200


class RunName(click.ParamType[str, str]):
    """An id, its first digits, a name, an alias, or "latest"."""

    name = "run"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer the ids and names of the newest runs."""
        from runfolio.errors import RunfolioError
        from runfolio.model.ids import short
        from runfolio.model.names import printable
        from runfolio.query.store import open_store

        try:
            runs = open_store().runs(limit=_MOST)
        except (RunfolioError, OSError):
            return []
        found = {"latest": "the newest run"}
        for run in runs:
            found.setdefault(short(run.id), printable(run.name or run.status, 60))
            if run.name and run.name == printable(run.name):
                found.setdefault(run.name, short(run.id))
        return [CompletionItem(name, help=about) for name, about in found.items() if name.startswith(incomplete)]


RUN = RunName()


def run_words(run: Run) -> str:
    """Name a run in a sentence."""
    from runfolio.model.ids import short
    from runfolio.model.names import printable

    return f"{short(run.id)} {printable(run.name, 60)}" if run.name else short(run.id)
