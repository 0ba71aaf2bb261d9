"""Read what a run holds already, for a writer that joins it or goes on with it. Standard library only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import NamedTuple

from runfolio.errors import RunNotFound, Unreadable
from runfolio.journal import frame
from runfolio.journal.scan import Scan, events, opening, scan
from runfolio.journal.scan import steps as steps_of
from runfolio.model.events import Event
from runfolio.model.fold import RunState, fold
from runfolio.model.ids import short
from runfolio.store import run_json, spool
from runfolio.store.layout import Layout
from runfolio.store.liveness import ALIVE, DEAD, LOST_AFTER_S, UNKNOWN, process_of
from runfolio.store.run_json import Covered, RunJson


class Past(NamedTuple):
    """What the journals of a run say."""

    state: RunState
    attempt: int  # the latest
    scans: list[Scan]
    sealed: list[Covered]  # journals that only the seal tells of, since gc removed them

    def high(self, below: int | None = None) -> int | None:
        """Give the highest visible step; `below` hides what a rewind to it hides."""
        steps = []
        for found in self.scans:
            limit = self._hidden_from(opening(found).get("attempt"), below)
            high = max((step for step in steps_of(found) if step < limit), default=None)
            if high is not None:
                steps.append(high)
        for covered in self.sealed:
            # only the highest step is at hand: where that is hidden, the step before the first hidden one
            if covered.high_step is not None:
                steps.append(min(covered.high_step, self._hidden_from(covered.attempt, below) - 1))
        return max(steps, default=None)

    def _hidden_from(self, attempt: object, below: int | None) -> int:
        """Give the step from which on rewinds hide what this attempt wrote."""
        hidden = [step for later, step in self.state.rewinds if isinstance(attempt, int) and later > attempt]
        return min([*hidden, 1 << 63 if below is None else below])

    def life(self) -> str:
        """Judge the latest attempt's starter or launcher: alive, dead, or unknown from here."""
        if self.state.status_declared is not None:
            return DEAD
        lives = [
            process_of(told, max(good.time_ns or 0 for good in found.frames))
            for found in self.scans
            if not found.closed
            and (told := opening(found)).get("attempt") == self.attempt
            and told.get("role") in ("start", "launch")
        ]
        return ALIVE if ALIVE in lives else UNKNOWN if UNKNOWN in lives else DEAD


def read_past(layout: Layout, run_id: str) -> Past:
    """Read the journals of a run, at home and in the spool.

    Raises:
        RunNotFound: there are none.
    """
    scans, told = [], []
    for path in _journals(layout, run_id):
        with open(path, "rb") as file:
            found = scan(file.read(), os.path.basename(path)[: -len(frame.SUFFIX)])
        scans.append(found)
        said = opening(found)
        attempt, rank, role = said.get("attempt", 1), said.get("rank"), str(said.get("role", ""))
        told += [
            Event(body, good.time_ns or 0, attempt, found.journal_id, good.seq, rank, role)
            for good, body in events(found)
        ]
    seal = _seal(layout, run_id)
    present = {found.journal_id for found in scans}
    sealed = [covered for covered in seal.journals if covered.journal not in present] if seal else []
    if seal:
        told += [event for event in seal.events if event.journal not in present]
    if not scans and not sealed:
        raise RunNotFound(f"no run {short(run_id)} in this store: {layout.root}")
    attempts = [number for found in scans if isinstance(number := opening(found).get("attempt"), int)]
    attempts += [covered.attempt for covered in sealed]
    return Past(fold(told), max(attempts, default=1), scans, sealed)


def _seal(layout: Layout, run_id: str) -> RunJson | None:
    try:
        return run_json.read(layout.run_json(run_id))
    except Unreadable:
        return None  # the journals say what there is


def _journals(layout: Layout, run_id: str) -> Iterator[str]:
    for folder in (layout.run_journal(run_id), *spool.journals_of(layout.root, run_id)):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if name.endswith(frame.SUFFIX):
                yield os.path.join(folder, name)


def wait_for_life(layout: Layout, run_id: str, past: Past) -> bool:
    """Say whether a run of an unproved process still moves: at once where the process is here, else by watching its journals."""
    if past.life() == ALIVE:
        return True
    before = _ends(read_past(layout, run_id))
    for _ in range(int(LOST_AFTER_S)):
        time.sleep(1.0)
        now = read_past(layout, run_id)
        if _ends(now) != before:
            return now.life() != DEAD
    return False


def _ends(past: Past) -> list[int]:
    return [found.end for found in past.scans]
