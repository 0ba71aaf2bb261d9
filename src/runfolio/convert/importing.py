"""Find what a system has left, and bring it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import NamedTuple

from runfolio.convert.bring_in import BroughtIn, bring_in
from runfolio.convert.foreign import ForeignRun, Skipped
from runfolio.errors import RunfolioError
from runfolio.store.layout import Layout

Find = Callable[[str], Iterator[ForeignRun | Skipped]]
OURS = "runfolio"


class Taken(NamedTuple):
    """One run that was found, and what became of it."""

    run_id: str
    name: str
    new: bool  # something was written
    added: str  # how much, in words
    skipped: tuple[Skipped, ...] = ()  # what of it could not be taken over


def take_in(layout: Layout, system: str, path: str) -> Iterator[Taken | Skipped]:
    """Bring in whatever a system has left at a path; a run that cannot be is told, and keeps no other from it.

    Raises:
        UsageError: an export of ours is asked for, and there is none. OSError: the store cannot be written.
    """
    if system == OURS:
        yield from _take_home(layout, path)
        return
    for found in find_runs(system, path):
        if isinstance(found, Skipped):
            yield found
            continue
        name = found.name or found.identity
        try:
            brought = bring_in(layout, found)
        except RunfolioError as refused:
            yield Skipped(name, str(refused))
            continue
        yield Taken(brought.run_id, name, brought.new, _count(brought.added, "entry", "entries"), tuple(found.skipped))


def _take_home(layout: Layout, path: str) -> Iterator[Taken | Skipped]:
    for found in import_module("runfolio.convert.importers.runfolio").bring_home(layout, path):
        if isinstance(found, Skipped):
            yield found
        else:
            yield Taken(found.run_id, found.name or found.run_id, found.new, _count(found.added, "file", "files"))


def find_runs(system: str, path: str) -> Iterator[ForeignRun | Skipped]:
    """Read what a system has left at a path: its runs, and what could not be read."""
    find: Find = import_module(f"runfolio.convert.importers.{system.replace('-', '_')}").find
    return find(path)


def bring_in_all(layout: Layout, system: str, path: str) -> list[BroughtIn]:
    """Bring in whatever a system has left at a path; what cannot be read is passed over."""
    return [bring_in(layout, found) for found in find_runs(system, path) if isinstance(found, ForeignRun)]


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"
