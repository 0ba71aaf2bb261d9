"""Name what can be captured, and read the setting that chooses among it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ...errors import UsageError

FIELDS = ("command", "cwd", "python", "platform", "host", "user", "cpu", "gpu", "git", "packages")
SLOW = ("git", "cpu", "gpu", "packages")
"""What the companion process looks for, in the order in which it does: the work tree may change at any time."""

ENVIRONMENT = "RUNFOLIO_CAPTURE"
_ALL = frozenset(FIELDS)
_WORDS = {
    "all": _ALL,
    "true": _ALL,
    "1": _ALL,
    "none": frozenset[str](),
    "false": frozenset[str](),
    "0": frozenset[str](),
}


def wanted(setting: object = None) -> frozenset[str]:
    """Return the fields that a setting asks for.

    Args:
        setting: True for all, False or "none" for none, names as an iterable or as text with commas. A name that begins
            with "-" is taken away: "-packages" is all but the packages. None asks $RUNFOLIO_CAPTURE, else means all.

    Raises:
        UsageError: A name that is no field.
    """
    if setting is None:
        setting = os.environ.get(ENVIRONMENT) or True
    if isinstance(setting, bool):
        return _ALL if setting else frozenset()
    return _chosen(_names(setting))


def _names(setting: object) -> list[str]:
    """Split a setting into its names."""
    if isinstance(setting, str):
        return [name.strip() for name in setting.split(",") if name.strip()]
    names: list[str] = []
    for name in setting if isinstance(setting, Iterable) else (setting,):
        if not isinstance(name, str):
            raise UsageError(f"capture: {name!r} is a {type(name).__name__}; {_HINT}")
        names.append(name)
    return names


def _chosen(names: list[str]) -> frozenset[str]:
    """Add what is named and take away what is named with a minus; minuses alone take away from all."""
    taken = [name[1:] for name in names if name.startswith("-")]
    added = [name for name in names if not name.startswith("-")]
    chosen = frozenset[str]().union(*map(_meant, added)) if added or not taken else _ALL
    return chosen.difference(*map(_meant, taken))


def _meant(name: str) -> frozenset[str]:
    """Return the fields that one name stands for."""
    if name in _ALL:
        return frozenset((name,))
    if name.lower() in _WORDS:
        return _WORDS[name.lower()]
    raise UsageError(f"capture field {name!r} is unknown; {_HINT}")


_HINT = f"use True, False or names out of {', '.join(FIELDS)}, each with a '-' before it to leave it out"
