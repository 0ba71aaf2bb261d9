"""Write foreign runs into a store, with their own times.

The run's id is made from what the run is called in its system, so bringing it in again finds it: what has been added to the source since becomes a
further attempt, and where nothing has, nothing is written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from hashlib import sha256
from heapq import merge
from typing import Any, NamedTuple, cast

from runfolio._version import __version__
from runfolio.convert.foreign import ForeignCall, ForeignRecord, ForeignRun
from runfolio.convert.put import alone_in, note_as_ours
from runfolio.convert.view import snapshot
from runfolio.journal.files import SYSTEM, SharedFiles
from runfolio.journal.identity import host
from runfolio.journal.writer import FINAL, Writer
from runfolio.model.ids import new_id
from runfolio.model.leaf import plain
from runfolio.model.params import flatten
from runfolio.sdk.artifacts import add as add_artifact
from runfolio.sdk.tags import tags_of
from runfolio.store.claims import claim, owner_of
from runfolio.store.layout import Layout, is_shared, make_folder

FIELD = "imported"
"""The captured fact that tells where a run came from, and how much of it has been taken over."""
_WAIT_S = 600.0


class BroughtIn(NamedTuple):
    """What became of a foreign run."""

    run_id: str
    new: bool  # something was written
    added: int  # how many calls and records


def bring_in(layout: Layout, foreign: ForeignRun) -> BroughtIn:
    """Write a foreign run, or what is new of it.

    Raises:
        OSError: the store cannot be written, or a file of the run cannot be read.
    """
    run_id = sha256(f"{foreign.system}\n{foreign.identity}".encode(errors="surrogatepass")).hexdigest()[:32]
    if not layout.exists():
        layout.create()
    for kind, name in foreign.claims:
        owner = owner_of(layout, kind, name)
        if owner is not None and owner != run_id:
            return BroughtIn(owner, False, 0)  # what lies there is a run of this store, rendered
    aside = os.path.join(layout.root, "importing")
    os.makedirs(aside, exist_ok=True)
    with alone_in(aside, _WAIT_S):  # of two that bring in the same, the second finds it there
        return _bring_in(layout, foreign, run_id)


def _bring_in(layout: Layout, foreign: ForeignRun, run_id: str) -> BroughtIn:
    before = _imported(layout, run_id)
    digest = _digest(foreign)
    if before is not None and before.get("digest") == digest:
        return BroughtIn(run_id, False, 0)
    calls, records = list(foreign.calls), list(foreign.records)
    attempt, rewind = 1, False
    if before is not None:
        attempt = int(before["attempt"]) + 1
        counts = int(before["calls"]), int(before["records"])
        if before["begins"] == _begin_digest(calls[: counts[0]], records[: counts[1]]):
            calls, records = calls[counts[0] :], records[counts[1] :]
        else:
            rewind = True  # the source was changed, and not only added to
    note = {
        "system": foreign.system,
        "identity": foreign.identity,
        "sources": list(foreign.sources),
        "digest": digest,
        "begins": _begin_digest(foreign.calls, foreign.records),
        "calls": len(foreign.calls),
        "records": len(foreign.records),
        "attempt": attempt,
    }
    _Import(layout, run_id, foreign, attempt).write(calls, records, rewind, note)
    torn = {skipped.path for skipped in foreign.skipped}
    for path in foreign.sources:
        if path not in torn:
            note_as_ours(layout, path)  # all that it says is kept: a view may take its place
    return BroughtIn(run_id, True, len(calls) + len(records))


class _ForeignClock:
    """Tells the times of the source; never back."""

    def __init__(self, now_ns: int) -> None:
        self.now = now_ns

    def wall_ns(self) -> int:
        return self.now

    def boot_ns(self) -> int:
        return self.now

    def move(self, time_ns: int | None) -> None:
        if time_ns is not None and time_ns > self.now:
            self.now = time_ns


class _Import:
    """The journal of one import: written aside, and put in place whole."""

    def __init__(self, layout: Layout, run_id: str, foreign: ForeignRun, attempt: int) -> None:
        self._layout, self._run_id, self._foreign, self._attempt = layout, run_id, foreign, attempt
        times = [call.time_ns for call in foreign.calls] + [record.time_ns for record in foreign.records]
        begin = (
            foreign.created_ns if foreign.created_ns is not None else min(filter(None, times), default=time.time_ns())
        )
        self._clock = _ForeignClock(begin)
        self._aside = os.path.join(layout.root, "importing", new_id())
        os.makedirs(self._aside)
        files = SharedFiles() if is_shared(layout.root) else SYSTEM
        self._writer = Writer([lambda: (self._aside, False)], self._opening, clock=self._clock, files=files)

    def _opening(self) -> dict[str, Any]:
        """Say who writes: no process of this machine, whose end would be taken for the run's."""
        told = {"run": self._run_id, "attempt": self._attempt, "rank": None, "role": "import"}
        return {**told, "host": host(), "version": __version__}

    def write(
        self,
        calls: Sequence[ForeignCall],
        records: Sequence[ForeignRecord],
        rewind: bool,
        note: dict[str, Any],
    ) -> None:
        try:
            self._tell_who(rewind)
            self._tell_points(calls, records)
            self._tell_end(note)
            if not self._writer.close() or any(self._writer.lost):
                raise OSError(5, f"the store cannot be written: {', '.join(self._writer.causes)}", self._layout.root)
            self._put_in_place()
        finally:
            self._clear()

    def _tell_who(self, rewind: bool) -> None:
        foreign, event = self._foreign, self._writer.event
        if self._attempt == 1:
            experiment = foreign.experiment or foreign.system
            experiment_id = claim(self._layout, "experiment", experiment, new_id())
            event({"type": "run", "experiment": experiment, "experiment_id": experiment_id, "name": foreign.name})
            for alias in foreign.aliases:
                event({"type": "alias", "name": alias})
        else:
            event({"type": "attempt", "rewind_to": -(2**63) if rewind else None, "command": None})
        for kind, name in foreign.claims:
            claim(self._layout, kind, name, self._run_id)
        if foreign.params:
            event({"type": "params", "set": flatten(foreign.params), "replace": True})
        if foreign.tags:
            event({"type": "tags", "add": tags_of(dict(foreign.tags))})
        if foreign.notes is not None:
            event({"type": "notes", "text": foreign.notes})
        for view in foreign.views:
            event({"type": "view", "format": view.format, "path": view.path, "options": dict(view.options)})

    def _tell_points(self, calls: Iterable[ForeignCall], records: Iterable[ForeignRecord]) -> None:
        for each in merge(_timed(calls), _timed(records), key=lambda pair: pair[0]):
            self._clock.move(each[0])
            what = each[1]
            if isinstance(what, ForeignCall):
                self._writer.log(dict(what.values), FINAL if what.step is None else what.step)
            else:
                (value,) = cast("list[Any]", plain([what.value], "record"))
                self._writer.event({"type": "record", "step": what.step, "value": value})

    def _tell_end(self, note: dict[str, Any]) -> None:
        foreign, event = self._foreign, self._writer.event
        for artifact in foreign.artifacts:
            for told in add_artifact(self._layout, self._run_id, artifact.path, artifact.name, None):
                if (told["name"], told["sha256"]) not in self._kept():
                    event({"type": "artifact", "step": None, **told})
        if foreign.summary:
            event({"type": "summary", "set": flatten(foreign.summary)})
        event({"type": "capture", "field": FIELD, "value": note})
        self._clock.move(foreign.ended_ns)
        if foreign.status is not None:
            event({"type": "finish", "status": foreign.status, "reason": foreign.reason, "exit_code": None})

    def _kept(self) -> set[tuple[str, str]]:
        if self._attempt == 1:
            return set()
        state = snapshot(self._layout, self._run_id).state
        return {(version.name, version.sha256) for version in state.artifacts}

    def _put_in_place(self) -> None:
        folder = self._layout.run_journal(self._run_id)
        make_folder(folder)
        for name in os.listdir(self._aside):
            os.rename(os.path.join(self._aside, name), os.path.join(folder, name))

    def _clear(self) -> None:
        for name in os.listdir(self._aside):
            os.unlink(os.path.join(self._aside, name))
        os.rmdir(self._aside)


def _timed(entries: Iterable[Any]) -> Iterable[tuple[int, Any]]:
    """Give entries with times that never fall; one without takes that of the one before."""
    latest = 0
    for entry in entries:
        latest = max(latest, entry.time_ns or 0)
        yield latest, entry


def _imported(layout: Layout, run_id: str) -> dict[str, Any] | None:
    """Give what the last import of this run has noted; None where it was never brought in."""
    if not os.path.isdir(layout.run_journal(run_id)):
        return None
    note = snapshot(layout, run_id).state.capture.get(FIELD)
    return note if isinstance(note, dict) else None


def _digest(foreign: ForeignRun) -> str:
    rest = (
        foreign.name, foreign.experiment, list(foreign.aliases), foreign.params, foreign.tags, foreign.notes, foreign.summary,
        foreign.status, foreign.reason, [(a.name, _size(a.path)) for a in foreign.artifacts],
    )  # fmt: skip
    return _hash((_begin_digest(foreign.calls, foreign.records), repr(rest)))


def _begin_digest(calls: Sequence[ForeignCall], records: Sequence[ForeignRecord]) -> str:
    return _hash((repr([(c.step, dict(c.values), c.time_ns) for c in calls]), repr([tuple(r) for r in records])))


def _hash(parts: Iterable[str]) -> str:
    return sha256("\n".join(parts).encode(errors="surrogatepass")).hexdigest()


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return -1
