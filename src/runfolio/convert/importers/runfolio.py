"""Bring home runs of our own: from a folder that `runfolio export --format folder` wrote, or from another store. Byte for byte.

A run keeps its id. What is there already stays; a journal that goes on in the source is taken as far as it goes there. Nothing becomes visible
before its files are checked: against the hashes of an export, and each journal for being of this run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from runfolio.convert.exports.folder import SUMS, copy_journal, hash_file, is_file, read_sums
from runfolio.convert.foreign import Skipped
from runfolio.errors import Unreadable, UsageError
from runfolio.journal.columns import JournalColumns
from runfolio.journal.files import SYSTEM
from runfolio.model.ids import is_id, new_id, short
from runfolio.store import run_json
from runfolio.store.blobs import Shelf, create_draft, draft_in, hash_of
from runfolio.store.claims import claim
from runfolio.store.layout import Layout, make_folder
from runfolio.store.liveness import ALIVE, process_of
from runfolio.store.run_files import RunFiles, journal_files, last_time_ns

_CHUNK = 1 << 20


class BroughtHome(NamedTuple):
    """What became of a run."""

    run_id: str
    name: str | None
    new: bool  # something was written
    added: int  # how many files


class _Refused(Exception):
    """A run that is not taken; the text says why."""


def bring_home(layout: Layout, path: str) -> Iterator[BroughtHome | Skipped]:
    """Bring the runs of an export, of a store, or one run's folder into a store; doing it again changes nothing.

    Raises:
        UsageError: the path is none of these. Unreadable: the hashes of an export are damaged. OSError: the store cannot be written.
    """
    base, run_ids = _found(path)
    if os.path.realpath(base) == os.path.realpath(layout.root):
        raise UsageError(f"this is the store in use itself: {path}")
    sums = read_sums(base)
    if not layout.exists():
        layout.create()
    for run_id in run_ids:
        source = os.path.join(base, "runs", run_id)
        try:
            _check_sums(base, run_id, sums)
            yield _Homecoming(layout, source, run_id).bring()
        except (_Refused, Unreadable) as why:
            yield Skipped(source, str(why))


def _found(path: str) -> tuple[str, list[str]]:
    """Find the runs below a path: the folder that holds `runs/`, and their ids."""
    path = os.path.abspath(path)
    above, own = os.path.split(path)
    if is_id(own) and os.path.basename(above) == "runs":
        return os.path.dirname(above), [own]
    for base in (path, os.path.join(path, ".runfolio")):
        runs = os.path.join(base, "runs")
        if os.path.isdir(runs) and (is_file(os.path.join(base, SUMS)) or is_file(os.path.join(base, "store.json"))):
            return base, sorted(name for name in os.listdir(runs) if is_id(name))
    raise UsageError(
        f"this is neither what runfolio export --format folder wrote, nor a store, nor a run in one: {path}"
    )


def _check_sums(base: str, run_id: str, sums: dict[str, str] | None) -> None:
    """Refuse a run of an export whose files are not those that were exported."""
    if sums is None:
        return
    begin = f"runs/{run_id}/"
    listed = {name for name in sums if name.startswith(begin)}
    if not listed:
        raise _Refused(f"{SUMS} does not know this run")
    for name in sorted(listed):
        file = os.path.join(base, *name.split("/"))
        if not is_file(file):
            raise _Refused(f"{name} is missing")
        if hash_file(file) != sums[name]:
            raise _Refused(f"{name} is not as it was exported: its SHA-256 is another")
    for part in ("journal", "artifacts"):
        for one in _names(os.path.join(base, "runs", run_id, part)):
            if f"{begin}{part}/{one}" not in listed:
                raise _Refused(f"{begin}{part}/{one} was not exported")


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


class _Homecoming:
    """Brings one run."""

    def __init__(self, layout: Layout, source: str, run_id: str) -> None:
        self._layout, self._source, self._run_id = layout, source, run_id
        self._added = 0

    def bring(self) -> BroughtHome:
        journals = self._journals()
        seal = run_json.read(os.path.join(self._source, "run.json"))
        if not journals and seal is None:
            raise _Refused("it has neither journals nor a seal")
        if seal is not None and seal.run_id != self._run_id:
            raise _Refused(f"its run.json belongs to run {short(seal.run_id)}")
        wanted = [path for path in journals if self._is_wanted(path)]  # all are looked at before anything is written
        self._bring_artifacts()
        self._bring_output()
        self._bring_seal(seal)
        self._bring_journals(wanted)
        files = RunFiles(self._layout, self._run_id)
        files.refresh()
        state = files.state
        if self._added and state.experiment is not None and state.experiment_id is not None:
            claim(self._layout, "experiment", state.experiment, state.experiment_id)
        return BroughtHome(self._run_id, state.name, self._added > 0, self._added)

    # ------------------------------------------------------------------------------------------------------ journals

    def _journals(self) -> list[str]:
        folder = os.path.join(self._source, "journal")
        paths = [path for path in journal_files(folder) if is_file(path)]
        for path in paths:
            run = _read(path).opening.get("run")
            if run != self._run_id:
                owner = f"run {short(run)}" if isinstance(run, str) and is_id(run) else "no run"
                raise _Refused(f"journal/{os.path.basename(path)} belongs to {owner}")
        return paths

    def _is_wanted(self, path: str) -> bool:
        """Say whether a journal is not here, or goes on in the source."""
        name = os.path.basename(path)
        here = os.path.join(self._layout.run_journal(self._run_id), name)
        if not os.path.lexists(here):
            return not self._is_sealed_here(path)
        theirs, ours = _read(path), _read(here)
        shared = min(theirs.end, ours.end)
        if not _same_begin(path, here, shared):
            raise _Refused(f"journal/{name} is another one in this store; neither is changed")
        if theirs.end <= ours.end:
            return False
        if not ours.closed and process_of(ours.opening, last_time_ns(ours)) == ALIVE:
            raise _Refused(f"journal/{name} is still being written in this store")
        return True

    def _is_sealed_here(self, path: str) -> bool:
        """Say whether the seal of this store holds all of a journal, whose file gc has removed."""
        seal = run_json.read(self._layout.run_json(self._run_id))
        ends = {one.journal: one.end for one in seal.journals} if seal is not None else {}
        journal = _read(path)
        return ends.get(journal.journal_id, -1) >= journal.end

    def _bring_journals(self, paths: list[str]) -> None:
        """Put all of them in place by one rename where the run is new, else one by one."""
        home = self._layout.run_journal(self._run_id)
        if not paths:
            return
        aside = os.path.join(self._layout.root, "importing", new_id())
        make_folder(aside)
        try:
            for path in paths:
                copy = os.path.join(aside, os.path.basename(path))
                copy_journal(path, copy)
                _sync(copy)
            make_folder(os.path.dirname(home))
            if os.path.isdir(home):
                for name in os.listdir(aside):
                    os.replace(os.path.join(aside, name), os.path.join(home, name))
            else:
                os.rename(aside, home)
            SYSTEM.sync_folder(home)
        finally:
            if os.path.isdir(aside):
                for name in os.listdir(aside):
                    os.unlink(os.path.join(aside, name))
                os.rmdir(aside)
        self._added += len(paths)

    # ------------------------------------------------------------------------------------------- artifacts and output

    def _bring_artifacts(self) -> None:
        folder = os.path.join(self._source, "artifacts")
        names = [name for name in _names(folder) if len(name) == 64 and is_id(name[:32]) and is_id(name[32:])]
        home = self._layout.artifacts(self._run_id)
        with Shelf(self._layout, self._run_id) as shelf:
            for name in names:
                path = os.path.join(folder, name)
                if hash_of(os.path.join(home, name)) == name:
                    continue
                if not is_file(path) or hash_of(path) != name:
                    raise _Refused(f"artifacts/{name} is damaged: its SHA-256 is another")
                with open(path, "rb") as file:
                    shelf.put(iter(lambda file=file: file.read(_CHUNK), b""), os.path.getsize(path))  # type: ignore[misc]
                self._added += 1
            shelf.settle()

    def _bring_output(self) -> None:
        source, here = os.path.join(self._source, "output.log"), self._layout.output(self._run_id)
        if not is_file(source):
            return
        size, known = os.path.getsize(source), os.path.getsize(here) if is_file(here) else -1
        if size > known and (known < 0 or _same_begin(source, here, known)):
            self._put(source, here)

    # ---------------------------------------------------------------------------------------------------------- seal

    def _bring_seal(self, seal: run_json.RunJson | None) -> None:
        """Take a seal that covers more than the one that is here."""
        if seal is None or self._covers_as_much(seal):
            return
        for name in ("metrics.parquet", "run.json"):  # in this order, as a seal is written
            source = os.path.join(self._source, name)
            if is_file(source):
                self._put(source, os.path.join(self._layout.run(self._run_id), name))

    def _covers_as_much(self, theirs: run_json.RunJson) -> bool:
        try:
            ours = run_json.read(self._layout.run_json(self._run_id))
        except Unreadable:
            return False
        if ours is None:
            return False
        ends = {one.journal: one.end for one in ours.journals}
        missing = [one for one in theirs.journals if ends.get(one.journal, -1) < one.end]
        if missing and not ends.keys() <= {one.journal for one in theirs.journals}:
            raise _Refused("each of the two seals holds what the other does not; runfolio seal both, then do it again")
        return not missing

    def _put(self, source: str, target: str) -> None:
        make_folder(os.path.dirname(target))
        draft = draft_in(os.path.dirname(target))
        try:
            with open(create_draft(draft), "wb") as copy, open(source, "rb") as file:
                while chunk := file.read(_CHUNK):
                    copy.write(chunk)
                copy.flush()
                os.fsync(copy.fileno())
            os.replace(draft, target)
        finally:
            if os.path.lexists(draft):
                os.unlink(draft)
        self._added += 1


def _read(path: str) -> JournalColumns:
    journal = JournalColumns(path)
    try:
        journal.refresh()
    except (Unreadable, ValueError, OSError) as trouble:
        raise _Refused(f"journal/{os.path.basename(path)} cannot be read: {trouble}") from trouble
    return journal


def _same_begin(one: str, other: str, size: int) -> bool:
    """Say whether two files have the same first bytes, so many."""
    with open(one, "rb") as a, open(other, "rb") as b:
        for at in range(0, size, _CHUNK):
            length = min(_CHUNK, size - at)
            if a.read(length) != b.read(length):
                return False
    return True


def _sync(path: str) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
