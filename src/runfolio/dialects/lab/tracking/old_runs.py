"""Bring in the runs that an original tracker left in a folder."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.convert import lab_folder
from runfolio.convert.bring_in import bring_in
from runfolio.convert.foreign import ForeignRun, Skipped
from runfolio.convert.importing import find_runs
from runfolio.errors import RunfolioError
from runfolio.model.ids import is_id
from runfolio.store.claims import claim, owner_of
from runfolio.store.layout import Layout


def take_in(layout: Layout, path: str, scope: str, named: str) -> Iterator[str]:
    """Bring in each run whose number nobody has here; yield what a user should know.

    A folder that was moved or copied holds runs that are in the store already: they get their numbers here too.
    """
    count, left_out = 0, 0
    for found in find_runs("lab", path):
        if isinstance(found, Skipped):
            left_out += 1
            continue
        numbers = [name for kind, name in found.claims if kind == lab_folder.KIND]
        if not numbers or owner_of(layout, lab_folder.KIND, numbers[0]) is None:
            try:
                run_id = _known(layout, found) or bring_in(layout, found).run_id
            except RunfolioError as refused:
                yield f"{named}: {found.aliases[0]} cannot be taken into the store: {refused}"
                continue
            for name in numbers:
                claim(layout, lab_folder.KIND, name, run_id)
            count += 1
        left_out += len(found.skipped)
    if left_out:
        yield (
            f"{named}: {count} runs that were here are taken over; of their files or entries {left_out} could not be: "
            f"runfolio import lab {named} names them"
        )


def _known(layout: Layout, found: ForeignRun) -> str | None:
    """Give the run of the store that this one is, where the tracker itself has made it."""
    owners = [owner_of(layout, kind, name) for kind, name in found.claims if kind == lab_folder.SAME]
    return next((owner for owner in owners if owner and is_id(owner)), None)
