"""Find the foreign runs of a system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from runfolio.convert.bring_in import BroughtIn, bring_in
from runfolio.convert.foreign import ForeignRun, Skipped
from runfolio.store.layout import Layout

Find = Callable[[str], Iterator[ForeignRun | Skipped]]


def find_runs(system: str, path: str) -> Iterator[ForeignRun | Skipped]:
    """Read what a system has left at a path: its runs, and what could not be read."""
    find: Find = import_module(f"runfolio.convert.importers.{system.replace('-', '_')}").find
    return find(path)


def bring_in_all(layout: Layout, system: str, path: str) -> list[BroughtIn]:
    """Bring in whatever a system has left at a path; what cannot be read is passed over."""
    return [bring_in(layout, found) for found in find_runs(system, path) if isinstance(found, ForeignRun)]
