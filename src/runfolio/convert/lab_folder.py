"""What writers and readers of a lab folder agree on, above all who is run_001: numbers are claimed in the store, for the folder's real path.

Standard library only: a training script comes here when it begins a run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runfolio.model.ids import is_id
from runfolio.store.claims import claim, next_number, owner_of
from runfolio.store.layout import Layout

KIND = "lab"  # claims of numbers
SAME = "lab-run"  # claims of identities: a folder that was moved or copied holds runs that are here already
GAP = "gap"  # owns the numbers that an old folder has left out, so that counting goes on behind its last
WHOLE_KEYS = "params keys with dots"
"""The head of a record that tells which params were given under a key that has dots itself: `[WHOLE_KEYS, ["model", "a.b"], …]`."""


def text_of(number: int) -> str:
    """Write a number as the tracker does: `run_001`, and `run_1000` behind `run_999`."""
    return f"run_{number:03d}"


def number_of(text: str) -> int | None:
    """Read a number; None for what the tracker would not write."""
    found = re.fullmatch(r"run_([0-9]{3,18})", text)
    number = int(found[1]) if found else 0
    return number if number and text_of(number) == text else None


def scope_of(base_dir: str) -> str:
    """Give the name under which a folder's numbers are claimed."""
    return os.path.realpath(base_dir)


def claim_of(scope: str, number: int) -> tuple[str, str]:
    """Give the kind and the name of the claim of a number."""
    return KIND, f"{scope}:{number}"


def identity_of(text: str, created_at: str, experiment: str) -> str:
    """Name a run wherever its folder lies."""
    return f"{text} {created_at} {experiment}"


def take(layout: Layout, scope: str, run_id: str, first: int = 1) -> int:
    """Claim the lowest free number from `first` on.

    Raises:
        OSError: the store cannot be written.
    """
    return next_number(layout, KIND, scope, run_id, first)


def owner(layout: Layout, scope: str, number: int) -> str | None:
    """Give the id of the run that has a number; None where none has."""
    found = owner_of(layout, *claim_of(scope, number))
    return found if found and is_id(found) else None


def members(layout: Layout, scope: str) -> Iterator[tuple[int, str]]:
    """Give the numbers of a folder with their runs' ids, in order."""
    number = 1
    while (found := owner_of(layout, *claim_of(scope, number))) is not None:
        if is_id(found):
            yield number, found
        number += 1


def unclaimed(layout: Layout, scope: str, numbers: Iterable[int]) -> list[int]:
    """Give those of the numbers that nobody has."""
    return [number for number in numbers if owner_of(layout, *claim_of(scope, number)) is None]


def close_gaps(layout: Layout, scope: str, highest: int) -> None:
    """Take the numbers up to the highest of an old folder that none of its runs has."""
    for number in unclaimed(layout, scope, range(1, highest + 1)):
        claim(layout, *claim_of(scope, number), GAP)


def whole_keys(params: Any, above: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Give the paths of params that stand under a key with dots: flat, they could not be told from nested ones."""
    for key, value in params.items() if isinstance(params, Mapping) else ():
        path = (*above, str(key))
        if isinstance(value, Mapping) and value:
            yield from whole_keys(value, path)
        elif any("." in part for part in path):
            yield list(path)
