"""Free the bytes that nothing needs any more: deleted runs, contents that no run uses, what killed processes left half written.

Never a running run's, and never what cannot be judged. Everything goes in an order that a kill may cut anywhere. A run's folder is first moved
to where no writer finds it, and looked at once more there: whoever came between the look and the move gets it back. Then it is renamed again,
and emptied. The next gc finishes what this one began. With `journals`, also journals whose every
frame is in the seal, compared bit for bit: the one other thing that removes a journal.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from heapq import merge as merged_by
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import Unreadable
from runfolio.journal.columns import Column, JournalColumns
from runfolio.journal.files import SYSTEM
from runfolio.model.fold import fold
from runfolio.model.ids import is_id, new_id
from runfolio.store import parquet, run_json, spool
from runfolio.store.blobs import DRAFT_SUFFIX, hash_of, signature, signer_is_gone
from runfolio.store.layout import Layout, make_folder
from runfolio.store.liveness import ALIVE, DEAD, LOST_AFTER_S, UNKNOWN, process_of
from runfolio.store.parquet import Run
from runfolio.store.run_files import RunFiles, journal_files, last_time_ns
from runfolio.store.run_json import RunJson
from runfolio.store.seal import origin_of, runs_of
from runfolio.store.sealed import SealedJournal, sealed_journals

TRASH_SUFFIX = ".trash"  # a folder with a run in it, as in a store: to be looked at once more
GONE_SUFFIX = ".gone"  # decided: to be emptied
UNTOLD_AGE_S = 3600.0
"""So long an artifact that no event tells of, or a draft of an unknown process, may still be somebody's work."""


class Kept(NamedTuple):
    """A run whose bytes would be freed, but for this reason."""

    run_id: str
    why: str


class GcReport(NamedTuple):
    """What was freed, or would be."""

    runs: list[str]
    size_bytes: int
    blobs: int
    artifacts: int  # in runs that stay: of no event
    journals: int
    drafts: int
    kept: list[Kept]


def collect(
    layout: Layout,
    dry_run: bool = False,
    journals: bool = False,
    *,
    now_s: float | None = None,
    wait: Callable[[], None] = lambda: time.sleep(LOST_AFTER_S),
) -> GcReport:
    """Free what nothing needs.

    Args:
        dry_run: only say what would be freed.
        journals: also journals that are closed, sealed and the same in the seal.
        now_s: the time, for the age of files. Units: seconds since 1970.
        wait: lets as much time pass as proves that a deleted run of another machine moves no more; called at most once.

    Raises:
        OSError: the store cannot be written.
    """
    return _Collector(layout, dry_run, journals, time.time() if now_s is None else now_s, wait).collect()


class _Look(NamedTuple):
    """A run, as far as gc needs to know it."""

    journals: list[JournalColumns]
    endless: list[JournalColumns]  # of the closed ones: those whose process may go on elsewhere
    used: set[str]  # hashes that its events tell of
    deleted: bool
    whole: bool  # whether all its events could be read
    unread: str  # why not, where a file could not be read at all

    @property
    def life(self) -> str:
        going_on = [journal for journal in self.journals if not journal.closed] + self.endless
        lives = [process_of(journal.opening, last_time_ns(journal)) for journal in going_on]
        return ALIVE if ALIVE in lives else UNKNOWN if UNKNOWN in lives else DEAD

    @property
    def ends(self) -> dict[str, int]:
        """How far each journal goes."""
        return {journal.path: journal.end for journal in self.journals}


def _look(layout: Layout, run_id: str) -> _Look:
    files = RunFiles(layout, run_id)
    files.refresh()
    found, unread = list(files.journals), ""
    events = [event for journal in found for event in journal.events]
    have = {journal.path for journal in found}
    folders = (layout.run_journal(run_id), *spool.journals_of(layout.root, run_id))
    for path in (path for folder in folders for path in journal_files(folder) if path not in have):
        try:
            other = JournalColumns(path)
            other.refresh()
            found.append(other)
        except Unreadable as trouble:
            unread = str(trouble)
    try:
        sealed = sealed_journals(layout, run_id, {journal.journal_id for journal in found})
        events += [event for journal in sealed for event in journal.events]
    except Unreadable as trouble:
        unread = str(trouble)
    state = fold(events)
    whole = not unread and not any(journal.damage or journal.header_damaged for journal in found)
    return _Look(found, files.endless, {version.sha256 for version in state.artifacts}, state.deleted, whole, unread)


class _Collector:
    def __init__(self, layout: Layout, dry_run: bool, journals: bool, now_s: float, wait: Callable[[], None]) -> None:
        self.layout, self.dry_run, self.journals, self.now_s, self.wait = layout, dry_run, journals, now_s, wait
        self.freed = _Freed()
        self.runs: list[str] = []
        self.kept: list[Kept] = []
        self.used: set[str] = set()
        self.blind = False
        self.counts = {"artifacts": 0, "journals": 0, "drafts": 0}

    def collect(self) -> GcReport:
        for name in _listed(self.layout.runs):
            path = os.path.join(self.layout.runs, name)
            if name.endswith((TRASH_SUFFIX, GONE_SUFFIX)) and is_id(name[:32]) and self._is_left(path):
                self._decide(name[:32], path)
        unsure: dict[str, dict[str, int]] = {}
        for run_id in sorted(
            {name for name in _listed(self.layout.runs) if is_id(name)} | set(spool.runs_of(self.layout.root))
        ):
            look = _look(self.layout, run_id)
            if look.deleted and look.life == UNKNOWN and not look.unread:
                unsure[run_id] = look.ends
            else:
                self._judge(run_id, look)
        if unsure and not self.dry_run:
            self.wait()
        for run_id, ends in unsure.items():
            look = _look(self.layout, run_id)
            if look.life == UNKNOWN and look.ends == ends and look.deleted and not look.unread:
                self._remove(run_id)
            else:
                self._judge(run_id, look)
        blobs = self._blobs()
        self._drafts()
        self._empty_spools()
        return GcReport(self.runs, self.freed.size_bytes, blobs, kept=self.kept, **self.counts)

    def _judge(self, run_id: str, look: _Look) -> None:
        if look.deleted and look.unread:
            self._stay(run_id, look, look.unread)
        elif look.deleted and look.life == DEAD:
            self._remove(run_id)
        elif look.deleted:
            self._stay(run_id, look, "it is still being written")
        else:
            self._stay(run_id, look)

    # ------------------------------------------------------------------------------------------------------ a run goes

    def _remove(self, run_id: str) -> None:
        home = self.layout.run(run_id)
        if self.dry_run:
            self.runs.append(run_id)
            for folder in (home, *spool.journals_of(self.layout.root, run_id)):
                for path in _files_below(folder):
                    self.freed.take(path)
            return
        # What is spooled goes first: left behind, it would bring the run back without the word that it is deleted.
        spool.bring_home(self.layout.root, run_id, self.layout.run_journal(run_id))
        trash = os.path.join(self.layout.runs, f"{run_id}.{new_id()[:8]}{signature()}{TRASH_SUFFIX}")
        os.makedirs(Layout(trash).runs)
        try:
            os.rename(home, Layout(trash).run(run_id))
        except FileNotFoundError:
            return shutil.rmtree(trash, ignore_errors=True)  # another gc was here
        SYSTEM.sync_folder(self.layout.runs)
        if self._decide(run_id, trash):
            self.runs.append(run_id)

    def _decide(self, run_id: str, trash: str) -> bool:
        """Empty the trash, or put back what is in it; True where it was emptied."""
        if trash.endswith(TRASH_SUFFIX) and not self.dry_run:
            inside = Layout(trash)
            look = _look(inside, run_id)
            if look.journals and (look.life == ALIVE or not look.deleted):
                _put_back(inside.run(run_id), self.layout.run(run_id))
                shutil.rmtree(trash, ignore_errors=True)
                self._stay(run_id, _look(self.layout, run_id), "it has come to life again")
                return False
            gone = trash.removesuffix(TRASH_SUFFIX) + GONE_SUFFIX
            os.rename(trash, gone)
            trash = gone
        for path in _files_below(trash):
            self.freed.take(path)
        if not self.dry_run:
            shutil.rmtree(trash, ignore_errors=True)  # the next gc takes what is left
        return True

    # ----------------------------------------------------------------------------------------------------- a run stays

    def _stay(self, run_id: str, look: _Look, why: str = "") -> None:
        if why:
            self.kept.append(Kept(run_id, why))
        self.blind = self.blind or bool(look.unread)
        folder = self.layout.artifacts(run_id)
        names = {name for name in _listed(folder) if not name.endswith(DRAFT_SUFFIX)}
        if look.life == DEAD and look.whole:
            for name in sorted(names - look.used):
                path = os.path.join(folder, name)
                if self._is_old(path, "st_ctime"):
                    self._unlink(path, "artifacts")
                    names.discard(name)
            if self.journals:
                self._drop_journals(run_id, look.journals)
        self.used |= names | look.used

    def _drop_journals(self, run_id: str, journals: list[JournalColumns]) -> None:
        home = self.layout.run_journal(run_id)
        sealed = _sound_seal(self.layout, run_id)
        if sealed is None:
            return
        here = [journal for journal in journals if os.path.dirname(journal.path) == home and _is_told(journal, sealed)]
        if here and _same_points(
            _by_order(here), parquet.read_runs(self.layout.parquet(run_id), [origin_of(j) for j in here])
        ):
            if self._is_being_sealed(run_id) or _sound_seal(self.layout, run_id) != sealed:
                return  # somebody who knew less may put another seal in its place
            for journal in here:
                self._unlink(journal.path, "journals")
            if not self.dry_run:
                SYSTEM.sync_folder(home)

    def _is_being_sealed(self, run_id: str) -> bool:
        home = self.layout.run(run_id)
        drafts = (os.path.join(home, name) for name in _listed(home) if name.endswith(DRAFT_SUFFIX))
        return not all(map(self._is_left, drafts))

    # ------------------------------------------------------------------------------------------------- what is left over

    def _blobs(self) -> int:
        """Remove the contents that no run has; none where a run could not be read."""
        if self.blind:
            return 0
        count = 0
        for name in _listed(self.layout.blobs):
            if not name.endswith(DRAFT_SUFFIX) and name not in self.used and _is_hash(name):
                self._unlink(os.path.join(self.layout.blobs, name), "")
                count += 1
        return count

    def _drafts(self) -> None:
        for path in _drafts(self.layout):
            if self._is_left(path):
                self._unlink(path, "drafts")

    def _empty_spools(self) -> None:
        """Remove what is left of the spool of runs whose journals were brought home, by somebody who was killed there."""
        for run_id in [] if self.dry_run else spool.runs_of(self.layout.root):
            for base in spool.base_folders():
                folder = spool.run_journal(base, self.layout.root, run_id)
                for path in (folder, os.path.dirname(folder)):
                    if self._is_old(path, "st_mtime") and not _listed(path):
                        os.rmdir(path)

    def _is_left(self, path: str) -> bool:
        """Say whether nobody goes on with what was begun here."""
        return signer_is_gone(path) or self._is_old(path, "st_mtime")

    def _is_old(self, path: str, which: str) -> bool:
        try:
            moment: float = getattr(os.lstat(path), which)
        except OSError:
            return False
        return self.now_s - moment > UNTOLD_AGE_S

    def _unlink(self, path: str, what: str) -> None:
        if not self.freed.take(path):
            return
        if what:
            self.counts[what] += 1
        if not self.dry_run:
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass  # another gc was here


class _Freed:
    """Adds up the bytes that are free once all names of a file are gone."""

    def __init__(self) -> None:
        self._files: dict[tuple[int, int], tuple[int, int]] = {}  # names to go, names there were, of each file
        self.size_bytes = 0

    def take(self, path: str) -> bool:
        """Count one name that goes; False where there is none."""
        try:
            found = os.lstat(path)
        except OSError:
            return False
        key = (found.st_dev, found.st_ino)
        gone, names = self._files.get(key, (0, found.st_nlink))
        self._files[key] = (gone + 1, names)
        if gone + 1 == names:
            self.size_bytes += found.st_size
        return True


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _put_back(source: str, home: str) -> None:
    """Move a run's files home, beside those that a writer has made there meanwhile."""
    if os.path.islink(source):
        return os.rename(source, home)
    for path in list(_files_below(source)):
        target = os.path.join(home, os.path.relpath(path, source))
        make_folder(os.path.dirname(target))
        os.rename(path, target)


def _files_below(folder: str) -> Iterator[str]:
    for path, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(path, name)


def _is_hash(name: str) -> bool:
    return len(name) == 64 and not name.strip("0123456789abcdef")


def _drafts(layout: Layout) -> Iterator[str]:
    """Yield everything that is called a draft, in the folders where drafts are made."""
    folders = [layout.root, layout.journal, layout.blobs]
    for run_id in filter(is_id, _listed(layout.runs)):
        folders += [layout.run(run_id), layout.artifacts(run_id), layout.run_journal(run_id)]
    for folder in folders:
        yield from (os.path.join(folder, name) for name in _listed(folder) if name.endswith(DRAFT_SUFFIX))
    yield from (path for path in _files_below(layout.claims) if path.endswith(DRAFT_SUFFIX))


# --------------------------------------------------------------------------------------------------- journals and seal


def _sound_seal(layout: Layout, run_id: str) -> RunJson | None:
    """Read the seal, where its two files belong together and are as they were written."""
    path = layout.parquet(run_id)
    try:
        sealed = run_json.read(layout.run_json(run_id))
        if (
            sealed is None
            or str(parquet.read_meta(path).get("id")) != sealed.sheet.id
            or hash_of(path) != sealed.sheet.sha256
        ):
            return None
    except (Unreadable, FileNotFoundError):
        return None
    return sealed


def _is_told(journal: JournalColumns, sealed: RunJson) -> bool:
    """Say whether a journal is closed, undamaged, and the seal tells its whole length and the same events."""
    if isinstance(journal, SealedJournal) or not journal.closed or journal.damage or journal.header_damaged:
        return False
    covered = next((one for one in sealed.journals if one.journal == journal.journal_id), None)
    if covered is None or (covered.end, covered.seq, covered.opening) != (journal.end, journal.seq, journal.opening):
        return False
    told = [event for event in sealed.events if event.journal == journal.journal_id]
    return repr(told) == repr(journal.events)  # in a repr, NaN equals itself and 1 is not 1.0


def _by_order(journals: Iterable[JournalColumns]) -> Iterator[Run]:
    return merged_by(*map(runs_of, journals), key=attrgetter("order_key"))


def _same_points(expected: Iterator[Run], found: Iterator[Run]) -> bool:
    """Compare two ways of telling the same points, bit for bit; the second may tell a run in pieces."""
    try:
        for run in expected:
            at, length = 0, len(run.column.seq)
            while at < length:
                piece = next(found, None)
                if piece is None or (piece.metric, piece.origin) != (run.metric, run.origin):
                    return False
                end = at + len(piece.column.seq)
                pairs = zip(_bits(run.column), _bits(piece.column), strict=True)
                if end > length or not all(np.array_equal(mine[at:end], theirs) for mine, theirs in pairs):
                    return False
                at = end
        return next(found, None) is None
    except (Unreadable, FileNotFoundError):
        return False


def _bits(column: Column) -> list[NDArray[Any]]:
    """Give the arrays of a column, the values as the bits they are."""
    return [np.ascontiguousarray(array).view(np.uint64) if array.dtype == np.float64 else array for array in column]
