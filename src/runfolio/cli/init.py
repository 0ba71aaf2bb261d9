"""`runfolio init`: make a store."""

from __future__ import annotations

import os

import click

from runfolio.cli.render.screen import write
from runfolio.errors import Unreadable
from runfolio.model.names import printable
from runfolio.store.layout import STORE_NAME, Layout, find

_OWN = ("journal", "claims", "blobs", "runs")


@click.command()
@click.argument("folder", default=".", type=click.Path())
@click.option("--shared", is_flag=True, help="For a group: its members may write (mode 2770), whatever the umask.")
def command(folder: str, shared: bool) -> None:
    """Make a store in this folder, or in FOLDER: FOLDER/.runfolio.

    Runs started in this folder and below are kept there. Nothing needs it: without a store upward, runs go to ~/.runfolio.
    """
    layout = Layout(_root(folder))
    if layout.exists():
        layout.store_id()
        write(f"A store exists already: {printable(layout.root)}")
    else:
        _refuse_foreign(layout)
        layout.create(shared)
        write(f"Made a store{' for your group' if shared else ''}: {printable(layout.root)}")
    used = find().root
    if os.path.realpath(used) != os.path.realpath(layout.root):
        write(f"Runs started here go elsewhere, by $RUNFOLIO_DIR or the folder you are in: {printable(used)}")


def _root(folder: str) -> str:
    path = os.path.abspath(os.path.expanduser(folder))
    return path if os.path.basename(path) == STORE_NAME else os.path.join(path, STORE_NAME)


def _refuse_foreign(layout: Layout) -> None:
    """Leave a folder alone that holds something else; one that a store was half made in is taken."""
    try:
        names = os.listdir(layout.root)
    except FileNotFoundError:
        return
    foreign = sorted(name for name in names if name not in _OWN and not name.endswith(".tmp"))
    if foreign:
        raise Unreadable(
            f"this folder holds {printable(foreign[0], 60)!r} and no store; move it away, or choose another folder: "
            f"{printable(layout.root)}"
        )
