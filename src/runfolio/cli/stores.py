"""Open the store for a command that only reads: also one that could never be made, whose runs all wait in the spool."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runfolio.errors import RunNotFound, StoreNotFound
from runfolio.model.names import printable, shown
from runfolio.store import spool
from runfolio.store.layout import Layout, find

if TYPE_CHECKING:
    from runfolio.query.store import Store

BRING_HOME = "runfolio doctor --bring-home"


class _Unmade(Layout):
    """A store that is not there: nothing but the spool knows of it."""

    def store_id(self) -> str:
        return "0" * 32  # its cache is told from others by the path


def open_to_read() -> Store:
    """Open the store in use, or what the spool keeps for it; numpy is loaded when something must be read with it.

    Raises:
        StoreNotFound: there is neither.
    """
    from runfolio.cli.render.progress import counted
    from runfolio.query.store import Store

    try:
        return Store(find(), on_progress=counted("Reading runs"))
    except StoreNotFound:
        layout = find()
        if not spool.runs_of(layout.root):
            raise
        return Store(_Unmade(layout.root))


def open_to_find(run: str) -> Store:
    """Open the store in use to look for this run; where there is none, there is no such run.

    Raises:
        RunNotFound: there is no store.
    """
    try:
        return open_to_read()
    except StoreNotFound as gone:
        raise RunNotFound(f"no run {shown(run)}: {gone}") from gone


def places_waiting(root: str) -> list[str]:
    """Give the folders of the spool that keep runs of this store."""
    folders = [
        os.path.dirname(os.path.dirname(spool.run_journal(base, root, "0" * 32))) for base in spool.base_folders()
    ]
    return [folder for folder in folders if os.path.isdir(folder)]


def waiting_lines(root: str) -> list[str]:
    """Say how many runs of a store wait in the spool, where, and how they come home; nothing where there are none."""
    waiting = spool.runs_of(root)
    if not waiting:
        return []
    many = f"{len(waiting):,} runs wait" if len(waiting) > 1 else "1 run waits"
    place = ", ".join(map(printable, places_waiting(root)))
    made = "written" if Layout(root).exists() else "made"
    it = "them" if len(waiting) > 1 else "it"
    return [
        f"{many} in the spool, as the store could not be {made}: {printable(root)}",
        f"{BRING_HOME} moves {it} there from {place}",
    ]
