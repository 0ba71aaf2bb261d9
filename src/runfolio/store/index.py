"""Know all runs of a store: what a listing, a filter and a comparison ask, remembered in the reader's cache.

Everything in it is made from the journals, and made again at any time. A look at the disk costs one scan of `runs/` and one stat for each run;
only runs whose folder changed, or that are not settled, are looked into. A run is settled when each of its journals is closed or its process
proved dead. Nothing is written into the store. Over very many runs the scan may be made by another thread, and what is asked meanwhile looks at
new and running runs only: see `trust`.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from zlib import crc32

from runfolio.errors import Unreadable
from runfolio.journal import identity
from runfolio.model.clock import SYSTEM_CLOCK, Clock
from runfolio.model.ids import is_id
from runfolio.store import spool, watch
from runfolio.store.cache import PAGES_KIB, Cache, Folder
from runfolio.store.catch_up import catch_up
from runfolio.store.layout import Layout, cache_folder
from runfolio.store.liveness import UNKNOWN, process_of
from runfolio.store.run_row import from_json, row_of, to_json
from runfolio.store.summary import Packed, pack
from runfolio.store.watch import Here, Watched

if TYPE_CHECKING:
    from runfolio.store.points import Merged
    from runfolio.store.run_files import RunFiles
    from runfolio.store.run_fold import RunFolding

LOOK_EVERY_NS = 500_000_000
REMEMBERED_LEAST, REMEMBERED_MOST = 1_000, 1 << 20
"""How many points of a single series make it worth remembering, and how many are too many."""
_RACY_NS = 2 * 10**9  # a folder's time is trusted when it is older than this: two changes may bear the same
_BATCH = 200
_OPEN_AT_ONCE = 100  # runs that are not settled are looked at by a question, where it does not look at all
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
T = TypeVar("T")


class Room(NamedTuple):
    """How much memory an index may take for the next question."""

    held_bytes: int = 256 << 20
    """Of decoded journals, all runs together."""
    pages_kib: int = PAGES_KIB
    """Of the cache's file."""


ROOMY, NARROW = Room(), Room(32 << 20, 8 << 10)


class Scan(NamedTuple):
    """What is on the disk."""

    runs_ns: int
    """When a run came or went last."""
    spools: list[str]
    folders: dict[str, int]
    """The runs there are, each with the time of its journals' folder; 0 where it has none but in the spool."""
    cost_ns: int
    """Of the processor."""


class _Known(NamedTuple):
    """What is known of a run's folder, to see whether it changed. Read from the file each time: another process may have looked since."""

    folder_ns: int
    names: int  # crc of the names in it
    open: list[Watched]


class _Visit(NamedTuple):
    """A look into one run."""

    run_id: str
    folder_ns: int
    names: int
    here: Here

    @property
    def racy(self) -> bool:
        """Whether the folder is so young that another change may bear the same time."""
        return self.folder_ns > self.here.wall_ns - _RACY_NS

    def folder(self, looked: list[Watched]) -> Folder:
        """Say what to look at again."""
        goes_on = any(watch.may_go_on(watched, self.here) for watched in looked)
        open_ = to_json([watched.as_list() for watched in looked]) if goes_on else None
        return Folder(self.folder_ns, self.names, open_, open_ is None and not self.racy)


class Index:
    """The index of one store.

    Contract: not for several threads at once; several processes may share its file.
    """

    def __init__(
        self,
        layout: Layout,
        clock: Clock = SYSTEM_CLOCK,
        on_progress: Callable[[int, int], None] | None = None,
        room: Room = ROOMY,
    ) -> None:
        """Open the index; `on_progress(done, all)` hears how many runs have been read of many."""
        self.layout = layout
        self._on_progress = on_progress
        self.store_id = layout.store_id()
        self.cache = Cache(os.path.join(cache_folder(layout.root, self.store_id), "index.sqlite"), room.pages_kib)
        self.changes = 0
        """How often a look found anything: what was listed stays right until the next time."""
        self.scan_ns = 0
        """What the latest look at all runs has cost of the processor."""
        self._room = room
        self._clock = clock
        self._looked_ns: int | None = None
        self._trusted_until_ns = -1
        self._file: object = None
        self._runs_ns = -1
        self.spools: list[str] = []
        self._held: OrderedDict[str, tuple[RunFolding, int]] = OrderedDict()  # each with its size when it was last read
        self._held_bytes = 0

    def close(self) -> None:
        self.cache.close()
        self._held.clear()
        self._held_bytes = 0

    # ---------------------------------------------------------------- looking at the disk

    def look(self) -> None:
        """Take in what changed on the disk, unless that was done less than half a second ago.

        Raises:
            StoreNotFound, Unreadable: the disk is not there, or cannot be read; what is known stays.
        """
        now = self._clock.boot_ns()
        if self._looked_ns is None or now - self._looked_ns >= LOOK_EVERY_NS:
            if now < self._trusted_until_ns:
                self._take(self._look_at_open)
            else:
                self.take_in(self.scan())
            self._looked_ns = now

    def trust(self, for_ns: int) -> None:
        """Let `look` be content with new and running runs for so long: somebody else looks at all of them."""
        self._trusted_until_ns = self._clock.boot_ns() + for_ns

    def scan(self) -> Scan:
        """Look at the folders of all runs, and take nothing in. Any thread may do so at any time.

        Raises:
            StoreNotFound, Unreadable: as `look`.
        """
        begin_ns = time.thread_time_ns()
        runs_ns, spools = self._runs_stamp(), spool.base_folders()
        return Scan(runs_ns, spools, self._folders(spools), time.thread_time_ns() - begin_ns)

    def take_in(self, scan: Scan) -> None:
        """Look into the runs that are not as they are known."""
        self._take(lambda: self._take_in(scan))
        self.scan_ns = scan.cost_ns

    def look_if_new(self) -> bool:
        """Look where a run has come or gone since; True where that was so."""
        if self._runs_stamp() == self._runs_ns:
            return False
        self.take_in(self.scan())
        return True

    def look_at(self, run_id: str) -> None:
        """Take in what changed in one run."""
        self.spools = spool.base_folders()
        self._take(lambda: self._look_into([run_id]))

    def _take(self, act: Callable[[], None]) -> None:
        """Act in a transaction, and count it where anything is not as it was; other processes write into the file too."""
        before = self.cache.written
        self.cache.safely(act)
        file = self.cache.version()
        if self.cache.written != before or file != self._file:
            self._file = file
            self.changes += 1

    def answer(self, act: Callable[[], T]) -> T:
        """Ask the cache; where it fails, after another one has been filled."""
        for _ in range(3):
            try:
                return act()
            except sqlite3.DatabaseError as trouble:
                self.cache.recover(trouble)
                self.take_in(self.scan())
        return act()

    def _take_in(self, scan: Scan) -> None:
        self._runs_ns, self.spools = self._unless_young(scan.runs_ns), scan.spools
        settled = dict(self.cache.ask("SELECT id, folder_ns FROM runs WHERE settled = 1"))
        others = {row[0] for row in self.cache.ask("SELECT id FROM runs WHERE settled = 0")}
        gone = [id_ for id_ in (*settled, *others) if id_ not in scan.folders]
        if gone:
            self._check_store()
        # What is gone is looked into too: it may have come since the scan.
        wanted = [*gone, *(id_ for id_, folder_ns in scan.folders.items() if settled.get(id_) != folder_ns)]
        for at in range(0, len(wanted), _BATCH):
            self._look_into(wanted[at : at + _BATCH])
            if len(wanted) > _BATCH:
                self.cache.db.commit()  # what is known so far is kept where the rest is interrupted
                if self._on_progress is not None:
                    self._on_progress(min(at + _BATCH, len(wanted)), len(wanted))

    def _look_at_open(self) -> None:
        """Look into new runs and those that are not settled."""
        unsettled = "SELECT id FROM runs WHERE settled = 0 ORDER BY number DESC LIMIT ?"
        wanted = [row[0] for row in self.cache.ask(unsettled, (_OPEN_AT_ONCE,))]
        stamp = self._runs_stamp()
        if stamp != self._runs_ns:
            self._runs_ns = self._unless_young(stamp)
            known = {row[0] for row in self.cache.ask("SELECT id FROM runs")}
            wanted += [name for name in self._names_in_runs() if name not in known and is_id(name)]
        self._look_into(wanted)

    # ---------------------------------------------------------------- what is on the disk

    def _runs_stamp(self) -> int:
        try:
            return os.stat(f"{self.layout.runs}/.").st_mtime_ns  # with the dot: it may also be searched
        except OSError as trouble:
            self._check_store(trouble)
            return 0

    def _unless_young(self, stamp: int) -> int:
        return stamp if stamp < self._clock.wall_ns() - _RACY_NS else -1

    def _names_in_runs(self) -> list[str]:
        try:
            return os.listdir(self.layout.runs)
        except OSError as trouble:
            self._check_store(trouble)
            return []

    def _check_store(self, trouble: OSError | None = None) -> None:
        """Where no runs are to be seen, see whether that may be: a disk that is not there has not lost its runs.

        Raises:
            StoreNotFound, Unreadable: it may not.
        """
        root = self.layout.root
        if trouble is not None and not isinstance(trouble, FileNotFoundError):
            raise Unreadable(f"the runs cannot be read ({trouble.strerror}); what was known of them stays: {root}")
        if self.layout.store_id() != self.store_id:
            raise Unreadable(f"another store is where this one was; open it again: {root}")

    def _folders(self, spools: list[str]) -> dict[str, int]:
        found = dict.fromkeys(spool.runs_of(self.layout.root), 0) if spools else {}
        stat, runs = os.stat, self.layout.runs
        for name in self._names_in_runs():
            if is_id(name):
                try:
                    found[name] = stat(f"{runs}/{name}/journal").st_mtime_ns
                except OSError:
                    found.setdefault(name, 0)
        return found

    def _folder_ns(self, run_id: str) -> int:
        try:
            return os.stat(self.layout.run_journal(run_id)).st_mtime_ns
        except OSError:
            return 0

    def _forget(self, run_id: str) -> None:
        self._let_go(run_id)
        self.cache.forget(run_id)

    # ---------------------------------------------------------------- looking into a run

    def _look_into(self, runs: Iterable[str]) -> None:
        here = Here(identity.boot_id(), self._clock.boot_ns(), self._clock.wall_ns())
        spooled = self._spooled_now()
        for id_ in runs:
            self._look_into_one(_Visit(id_, self._folder_ns(id_), self._names(id_), here), id_ in spooled)

    def _look_into_one(self, visit: _Visit, spooled: bool) -> None:
        run_id, here, was = visit.run_id, visit.here, self._known(visit.run_id)
        same = was.names == visit.names and was.folder_ns == visit.folder_ns and not spooled
        if same and not was.open:
            if not visit.racy:
                self.cache.ask("UPDATE runs SET settled = 1 WHERE id = ?", (run_id,))
            return
        if not visit.names and not spooled and not os.path.exists(self.layout.run_json(run_id)):
            return self._forget(run_id)  # a folder in the making, or nothing of ours
        looked = [watch.look(watched, here) for watched in was.open]
        if same and not any(watch.moved(watched) for watched in looked):
            return self._restand(visit, was.open, looked)
        if same and run_id not in self._held and self._catch_up(visit, looked):
            return
        folding = self._fold(run_id)
        if folding is None:
            return self._forget(run_id)
        looked = self._watch(folding, was.open, here)
        if any(watched.life == watch.GONE and watch.moved(watched) for watched in looked):
            folding.refresh(self.spools)  # it wrote between our reading and its death
            looked = self._watch(folding, looked, here)
        row = row_of(folding, _new_version(), _standing(folding, looked))
        self.cache.write(row, visit.folder(looked))

    def _known(self, run_id: str) -> _Known:
        found = self.cache.ask("SELECT folder_ns, names, open FROM runs WHERE id = ?", (run_id,))
        if not found:
            return _Known(-1, -1, [])
        folder_ns, names, open_ = found[0]
        return _Known(folder_ns, names, [watch.from_list(values) for values in from_json(open_ or "[]")])

    def _names(self, run_id: str) -> int:
        try:
            names = sorted(os.listdir(self.layout.run_journal(run_id)))
        except OSError as trouble:
            if trouble.errno in _EXHAUSTED:  # of us it tells something, not of the run
                raise Unreadable(f"run {run_id} cannot be read: {trouble.strerror}") from trouble
            return 0
        return crc32("/".join(names).encode(errors="surrogateescape"))

    def _restand(self, visit: _Visit, before: list[Watched], looked: list[Watched]) -> None:
        """Judge anew a run whose journals have not moved."""
        if looked == before and all(watch.may_go_on(watched, visit.here) for watched in looked):
            return
        question = "SELECT ended_ns IS NULL, status, reason, since_ns, last_ns FROM runs WHERE id = ?"
        ((endless, *told, last_ns),) = self.cache.ask(question, (visit.run_id,))
        standing = watch.standing(looked, last_ns) if endless else watch.Standing(*told)
        folder = visit.folder(looked)
        self.cache.ask(
            "UPDATE runs SET version = version + (status != ?), status = ?, reason = ?, since_ns = ?, open = ?, settled = ? WHERE id = ?",
            (standing.status, *standing, folder.open, folder.settled, visit.run_id),
        )
        if folder.open is None:
            self.cache.lay_out(visit.run_id)

    def _catch_up(self, visit: _Visit, looked: list[Watched]) -> bool:
        """Read only what is new in a run; False where that cannot be done."""
        row = self.cache.row(visit.run_id)
        summaries = {(name, summary.rank): summary for name, summary in Packed(row.summaries)}
        now = []
        for watched in looked:
            if not watch.moved(watched):
                now.append(watched)
                continue
            caught = catch_up(watched, summaries)
            if caught is None or (caught.closed and watched.starter and row.ended_ns is None):
                return False
            if not caught.closed:
                now.append(watch.moved_on(watched, caught, visit.here))
        last_ns = max([row.last_ns, *(watched.last_ns for watched in now)])
        standing = (
            watch.standing(now, last_ns)
            if row.ended_ns is None
            else watch.Standing(row.status, row.reason, row.since_ns)
        )
        packed = pack((name, summary) for (name, _), summary in summaries.items())
        row = row._replace(version=_new_version(), last_ns=last_ns, summaries=packed)
        row = row._replace(status=standing.status, reason=standing.reason, since_ns=standing.since_ns)
        self.cache.write(row, visit.folder(now))
        return True

    def _fold(self, run_id: str) -> RunFolding | None:
        """Read what is new in a run's journals; None where it has none."""
        folding = self._folding(run_id)
        folding.refresh(self.spools)
        if not folding.files.journals and not folding.files.warnings:
            return None
        if not all(journal.closed for journal in folding.files.journals):
            self._hold(run_id, folding)
        return folding

    @staticmethod
    def _watch(folding: RunFolding, before: list[Watched], here: Here) -> list[Watched]:
        """Judge the writers of a run's open journals."""
        from runfolio.store.run_files import last_time_ns  # numpy

        known = {watched.path: watched for watched in before}
        endless = folding.files.endless
        latest = folding.files.attempt
        found = []
        for journal in folding.files.journals:
            if not journal.closed or (
                journal in endless and process_of(journal.opening, last_time_ns(journal)) != UNKNOWN
            ):
                starter = journal.role in watch.STARTERS and journal.attempt == latest
                now = watch.begin(
                    journal.path, journal.end, last_time_ns(journal), starter, journal.opening, folding.mark_of(journal)
                )
                found.append(watch.look(watch.watch(now, known.get(journal.path), here), here))
        return found

    # ---------------------------------------------------------------- decoded journals

    def files(self, run_id: str) -> RunFiles:
        """Give the journals of a run, read anew."""
        folding = self._folding(run_id)
        folding.files.refresh(self.spools)
        self._hold(run_id, folding)
        return folding.files

    def points(self, run_id: str, version: int, metric: str, rank: int | None) -> Merged | None:
        """Give the points of a series from the cache; None where it does not have them as they are on the disk now."""
        found = self.cache.points(metric, run_id).get((run_id, rank))
        if found is None or found[0] != version:
            return None
        if self._version_if_unchanged(run_id, self._spooled_now()) != version:
            return None
        return _unpack(found[1])

    def points_of_all(self, metric: str, versions: dict[str, int]) -> dict[tuple[str, int | None], Merged]:
        """Give the points of a metric, by run and rank, that the cache has of these versions of runs."""
        found = self.cache.points(metric)
        return {key: _unpack(blob) for key, (version, blob) in found.items() if versions.get(key[0]) == version}

    def remember(self, series: Iterable[tuple[str, str, int | None, Merged]], least: int = REMEMBERED_LEAST) -> None:
        """Keep the points of series (run, metric, rank, points) in the cache, where they are worth it and will not change."""
        from runfolio.store.packed_points import pack  # numpy

        spooled = self._spooled_now()
        packed = [
            (metric, run_id, rank, version, pack(points))
            for run_id, metric, rank, points in series
            if least <= len(points.values) <= REMEMBERED_MOST
            and (version := self._version_if_unchanged(run_id, spooled)) is not None
        ]
        if packed:
            self.cache.safely(lambda: self.cache.remember(packed))

    def _version_if_unchanged(self, run_id: str, spooled: Collection[str]) -> int | None:
        """Give the version of a run that is settled, and whose folder is as it was."""
        if run_id in spooled:
            return None
        found = self.cache.ask("SELECT version, folder_ns FROM runs WHERE id = ? AND settled = 1", (run_id,))
        return found[0][0] if found and found[0][1] == self._folder_ns(run_id) else None

    def _spooled_now(self) -> set[str]:
        return set(spool.runs_of(self.layout.root)) if self.spools else set()

    def _folding(self, run_id: str) -> RunFolding:
        from runfolio.store.run_fold import RunFolding  # numpy: only where something must be read anew

        return self._let_go(run_id) or RunFolding(self.layout, run_id)

    def _let_go(self, run_id: str) -> RunFolding | None:
        folding, size_bytes = self._held.pop(run_id, (None, 0))
        self._held_bytes -= size_bytes
        return folding

    def _hold(self, run_id: str, folding: RunFolding) -> None:
        """Keep the decoded journals of a run for the next question, within bounds."""
        self._let_go(run_id)
        self._held[run_id] = (folding, folding.files.size_bytes)
        self._held_bytes += folding.files.size_bytes
        while self._held_bytes > self._room.held_bytes and len(self._held) > 1:
            self._let_go(next(iter(self._held)))


def _standing(folding: RunFolding, looked: list[Watched]) -> watch.Standing:
    declared = folding.files.declared
    if declared is not None:
        return watch.Standing(declared, folding.files.state.reason, None)
    return watch.standing(looked, folding.files.last_ns())


def _unpack(blob: bytes) -> Merged:
    from runfolio.store.packed_points import unpack  # numpy

    return unpack(blob)


def _new_version() -> int:
    return int.from_bytes(os.urandom(7), "little")
