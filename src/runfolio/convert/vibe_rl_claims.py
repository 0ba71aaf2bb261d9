"""Which run of a store has a metrics file, and whether it writes it.

The real path is claimed by the first run that is kept there; a claim is for ever, so the one after it claims `<path>#2`, and the last one counts.
"""

from __future__ import annotations

import os

from runfolio.store.claims import claim, owner_of
from runfolio.store.layout import Layout

KEPT = "vibe_rl"
WRITTEN = "vibe_rl_written"


def latest_run(layout: Layout, path: str) -> tuple[str | None, str]:
    """Give the run that has a file now, if any, and the name by which the next one claims it."""
    return _latest(layout, path)[:2]


def name_to_claim(layout: Layout, path: str) -> str:
    """Give the name by which a run that is brought in claims the file: that of the run there is, else the next one."""
    latest, following, own = _latest(layout, path)
    return own if latest is not None and os.path.isdir(layout.run(latest)) else following


def _latest(layout: Layout, path: str) -> tuple[str | None, str, str]:
    latest, number, own, name = None, 1, path, path
    while (owner := owner_of(layout, KEPT, name)) is not None:
        number += 1
        latest, own, name = owner, name, f"{path}#{number}"
    return latest, name, own


def mark_written(layout: Layout, path: str, run_id: str) -> None:
    """Say that the run writes the file: what stands in it is its own, and nothing to bring in.

    Raises:
        OSError: the store cannot be written.
    """
    claim(layout, WRITTEN, f"{path}\n{run_id}", run_id)


def writer_of(layout: Layout, path: str) -> str | None:
    """Give the run of this store that has written the file; None where there is none, or none any more."""
    latest, _ = latest_run(layout, path)
    if latest is None or owner_of(layout, WRITTEN, f"{path}\n{latest}") is None:
        return None
    return latest if os.path.isdir(layout.run(latest)) else None
