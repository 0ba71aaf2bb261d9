"""Keep what listings ask of all runs in SQLite: a cache in the reader's own folder, made from the journals and made again at any time.

A look at the disk costs one scan of `runs/` and one stat for each run; only runs whose folder changed, or that are not settled, are looked into.
A run is settled when all its journals are closed or their processes proved dead. Where the cache cannot be written, it is kept in memory.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from runfolio.journal import identity
from runfolio.model.clock import SYSTEM_CLOCK, Clock
from runfolio.model.ids import is_id
from runfolio.store import spool, watch
from runfolio.store.layout import Layout, cache_folder
from runfolio.store.liveness import DEAD
from runfolio.store.run_row import COLUMNS, HEAVY, Row, from_json, row_of, to_json
from runfolio.store.watch import Here, Watched

if TYPE_CHECKING:
    from runfolio.store.run_files import RunFiles
    from runfolio.store.run_fold import RunFolding

SCHEMA = 1
LOOK_EVERY_NS = 500_000_000
HEAVY_BYTES_MAX = 1 << 16
"""A bigger column is read only when asked for."""
HELD_BYTES_MAX = 256 << 20
"""The decoded journals that are held for the next question, all runs together."""
_RACY_NS = 2 * 10**9  # a folder's time is trusted when it is older than this: two changes may bear the same
_BATCH = 200
LOCK_WAIT_S = 2.0

_DEFINITION = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE runs (
    id TEXT PRIMARY KEY, folder_ns INTEGER, racy INTEGER, names INTEGER, open TEXT,
    version INTEGER, name TEXT, experiment TEXT, status TEXT, reason TEXT, since_ns INTEGER, created_ns INTEGER, started_ns INTEGER,
    ended_ns INTEGER, last_ns INTEGER, earlier_ns INTEGER, deleted INTEGER, archived INTEGER, params TEXT, more TEXT, summaries BLOB
);
CREATE INDEX runs_look ON runs (id, folder_ns, racy, names, open IS NULL);
CREATE INDEX runs_newest ON runs (created_ns DESC, id);
CREATE INDEX runs_name ON runs (name);
CREATE TABLE aliases (name TEXT, run TEXT, PRIMARY KEY (name, run)) WITHOUT ROWID;
CREATE TABLE points (metric TEXT, run TEXT, rank INTEGER, version INTEGER, points BLOB);
CREATE INDEX points_of ON points (metric, run);
INSERT INTO meta VALUES ('schema', '{SCHEMA}');
"""


_SELECTED = ", ".join(
    f"CASE WHEN length({name}) <= {HEAVY_BYTES_MAX} THEN {name} END" if name in HEAVY else name for name in COLUMNS
)


class _Folder(NamedTuple):
    """What is known of a run's folder, to see whether it changed."""

    folder_ns: int
    racy: bool
    names: int  # crc of the names in it
    settled: bool


class Index:
    """The index of one store.

    Contract: not for several threads at once; several processes may share the file. Writes nothing into the store.
    """

    def __init__(self, layout: Layout, clock: Clock = SYSTEM_CLOCK) -> None:
        self.layout = layout
        self.store_id = layout.store_id()
        self._clock = clock
        self._db = self._open()
        self._looked_ns: int | None = None
        self._spools: list[str] = []
        self._watched: dict[str, list[Watched]] = {}  # of this process; else as the file has them
        self._held: OrderedDict[str, RunFolding] = OrderedDict()
        self._runs_ns = -1

    # ---------------------------------------------------------------- the file

    @property
    def path(self) -> str:
        return os.path.join(cache_folder(self.layout.root, self.store_id), "index.sqlite")

    def _open(self) -> sqlite3.Connection:
        path = self.path
        for _ in range(2):
            try:
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                return _connect(path)
            except (sqlite3.DatabaseError, OSError) as trouble:
                if isinstance(trouble, (sqlite3.OperationalError, OSError)):
                    break  # locked, not writable, no room
                _remove(path)
        return _connect(":memory:")

    def _go_to_memory(self) -> None:
        """Go on in memory, with what the file knows where it can be read."""
        old, self._db = self._db, _connect(":memory:", empty=True)
        until = time.monotonic() + LOCK_WAIT_S

        def give_up(*_: int) -> None:
            if time.monotonic() > until:
                raise sqlite3.OperationalError("the index stays locked")

        try:
            old.rollback()
            old.backup(self._db, progress=give_up)
        except sqlite3.Error:
            self._db = _connect(":memory:")
        old.close()

    def close(self) -> None:
        self._db.close()
        self._held.clear()

    # ---------------------------------------------------------------- looking at the disk

    def look(self) -> None:
        """Take in what changed on the disk, unless that was done less than half a second ago."""
        now = self._clock.boot_ns()
        if self._looked_ns is None or now - self._looked_ns >= LOOK_EVERY_NS:
            self._looked_ns = now
            self.look_now()

    def look_now(self) -> None:
        """Take in what changed on the disk."""
        self._safely(self._look)

    def look_if_new(self) -> bool:
        """Look where a run has come or gone since; True where that was so."""
        if self._runs_stamp() == self._runs_ns:
            return False
        self.look_now()
        return True

    def look_at(self, run_id: str) -> None:
        """Take in what changed in one run."""
        self._spools = spool.base_folders()
        self._safely(lambda: self._look_into([run_id]))

    def _safely(self, act: Callable[[], None]) -> None:
        """Act on the file; where that fails, on a fresh one or one in memory."""
        for _ in range(3):
            try:
                with self._db:
                    act()
                return
            except sqlite3.OperationalError:
                self._go_to_memory()
            except sqlite3.DatabaseError:
                self._db.close()
                _remove(self.path)
                self._db = self._open()
        act()

    def _runs_stamp(self) -> int:
        try:
            return os.stat(self.layout.runs).st_mtime_ns
        except OSError:
            return 0

    def _look(self) -> None:
        self._runs_ns = self._runs_stamp()
        self._spools = spool.base_folders()
        known = self._known()
        present = self._present()
        gone = known.keys() - present.keys()
        self._forget(gone)
        wanted = [
            id_
            for id_, folder_ns in present.items()
            if (was := known.get(id_)) is None or not was.settled or was.racy or was.folder_ns != folder_ns
        ]
        for at in range(0, len(wanted), _BATCH):
            self._look_into(wanted[at : at + _BATCH], known, present)
            if len(wanted) > _BATCH:
                self._db.commit()

    def _known(self) -> dict[str, _Folder]:
        rows = self._db.execute("SELECT id, folder_ns, racy, names, open IS NULL FROM runs")
        return {id_: _Folder(*rest) for id_, *rest in rows}

    def _present(self) -> dict[str, int]:
        """Give the runs there are, each with the time of its journals' folder; 0 where it has none but in the spool."""
        try:
            with os.scandir(self.layout.runs) as entries:
                names = [entry.name for entry in entries]
        except OSError:
            names = []
        found = dict.fromkeys(spool.runs_of(self.layout.root), 0) if self._spools else {}
        stat, runs = os.stat, self.layout.runs
        for name in names:
            if len(name) == 32 and is_id(name):
                try:
                    found[name] = stat(f"{runs}/{name}/journal").st_mtime_ns
                except OSError:
                    found.setdefault(name, 0)
        return found

    def _forget(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            self._watched.pop(id_, None)
            self._held.pop(id_, None)
            self._db.execute("DELETE FROM runs WHERE id = ?", (id_,))
            self._db.execute("DELETE FROM aliases WHERE run = ?", (id_,))
            self._db.execute("DELETE FROM points WHERE run = ?", (id_,))

    # ---------------------------------------------------------------- looking into a run

    def _look_into(
        self, ids: list[str], known: dict[str, _Folder] | None = None, present: dict[str, int] | None = None
    ) -> None:
        here = Here(identity.boot_id(), self._clock.boot_ns(), self._clock.wall_ns())
        spooled = set(spool.runs_of(self.layout.root)) if self._spools else set()
        for id_ in ids:
            was = known.get(id_) if known is not None else self._known_one(id_)
            folder_ns = present[id_] if present is not None else self._present_one(id_)
            self._look_into_one(id_, was, folder_ns, here, id_ in spooled)

    def _known_one(self, run_id: str) -> _Folder | None:
        row = self._db.execute(
            "SELECT folder_ns, racy, names, open IS NULL FROM runs WHERE id = ?", (run_id,)
        ).fetchone()
        return _Folder(*row) if row else None

    def _present_one(self, run_id: str) -> int:
        try:
            return os.stat(self.layout.run_journal(run_id)).st_mtime_ns
        except OSError:
            return 0

    def _look_into_one(self, run_id: str, was: _Folder | None, folder_ns: int, here: Here, spooled: bool) -> None:
        names = self._names(run_id)
        racy = folder_ns > here.wall_ns - _RACY_NS
        same = was is not None and was.names == names and not spooled and (was.folder_ns == folder_ns)
        if same and was is not None and was.settled:
            if racy != was.racy:
                self._db.execute("UPDATE runs SET racy = ? WHERE id = ?", (racy, run_id))
            return
        before = self._open_journals(run_id)
        looked = [watch.look(watched, here) for watched in before]
        if same and not any(watch.moved(watched) for watched in looked):
            return self._restand(run_id, before, looked, here)
        self._fold(run_id, _Folder(folder_ns, racy, names, False), looked, here)

    def _names(self, run_id: str) -> int:
        try:
            return crc32("/".join(sorted(os.listdir(self.layout.run_journal(run_id)))).encode(errors="surrogateescape"))
        except OSError:
            return 0

    def _open_journals(self, run_id: str) -> list[Watched]:
        if run_id not in self._watched:
            row = self._db.execute("SELECT open FROM runs WHERE id = ?", (run_id,)).fetchone()
            self._watched[run_id] = [watch.from_list(values) for values in from_json(row[0])] if row and row[0] else []
        return self._watched[run_id]

    def _restand(self, run_id: str, before: list[Watched], looked: list[Watched], here: Here) -> None:
        """Judge anew a run whose journals have not moved."""
        if looked == before and all(watch.may_go_on(watched, here) for watched in looked):
            return
        row = self._db.execute(
            "SELECT ended_ns IS NULL, status, reason, since_ns, last_ns FROM runs WHERE id = ?", (run_id,)
        ).fetchone()
        standing = watch.standing(looked, row[4]) if row[0] else row[1:4]
        open_ = self._keep_watching(run_id, looked, here)
        self._db.execute(
            "UPDATE runs SET status = ?, reason = ?, since_ns = ?, open = ?, version = version + (status != ?) WHERE id = ?",
            (*standing, open_, standing[0], run_id),
        )

    def _keep_watching(self, run_id: str, looked: list[Watched], here: Here) -> str | None:
        """Note which journals are to be looked at again; None where the run is settled."""
        if not any(watch.may_go_on(watched, here) for watched in looked):
            self._watched.pop(run_id, None)
            return None
        self._watched[run_id] = looked
        return to_json([watched.as_list() for watched in looked])

    def _fold(self, run_id: str, folder: _Folder, before: list[Watched], here: Here) -> None:
        """Read what is new in a run's journals and write its row."""
        folding = self.folding(run_id)
        folding.refresh(self._spools)
        if not folding.files.journals and not folding.files.warnings:
            return self._forget([run_id])
        looked = self._watch(folding, before, here)
        if any(watched.life == DEAD and watch.moved(watched) for watched in looked):
            folding.refresh(self._spools)  # it wrote between our reading and its death
            looked = self._watch(folding, looked, here)
        declared = folding.files.state.status_declared
        attempts = folding.files.state.attempts
        if declared is not None and attempts[-1].number >= folding.files.attempt:
            standing = watch.Standing(declared, folding.files.state.reason, None)
        else:
            standing = watch.standing(looked, folding.files.last_ns())
        self._write(row_of(folding, _new_version(), standing), folder, self._keep_watching(run_id, looked, here))
        if looked:
            self._hold(run_id, folding)

    @staticmethod
    def _watch(folding: RunFolding, before: list[Watched], here: Here) -> list[Watched]:
        from runfolio.store.run_files import last_time_ns  # numpy

        known = {watched.path: watched for watched in before}
        latest = folding.files.attempt
        found = []
        for journal in folding.files.journals:
            if not journal.closed:
                starter = journal.role in watch.STARTERS and journal.attempt == latest
                was = known.get(journal.path)
                now = watch.watch(journal.path, journal.end, last_time_ns(journal), starter, journal.opening, was, here)
                found.append(watch.look(now, here))
        return found

    def _write(self, row: Row, folder: _Folder, open_: str | None) -> None:
        self._db.execute(
            f"INSERT OR REPLACE INTO runs (folder_ns, racy, names, open, {', '.join(COLUMNS)}) VALUES ({', '.join('?' * (len(COLUMNS) + 4))})",
            (folder.folder_ns, folder.racy, folder.names, open_, *row),
        )
        self._db.execute("DELETE FROM aliases WHERE run = ?", (row.id,))
        aliases = from_json(row.more)["aliases"]
        self._db.executemany("INSERT OR IGNORE INTO aliases VALUES (?, ?)", [(name, row.id) for name in aliases])

    # ---------------------------------------------------------------- asking

    def rows(self, where: str = "", values: Iterable[object] = (), limit: int = -1) -> Iterator[Row]:
        """Yield the runs that a condition of SQL fits, newest first; of big columns None, to be read by `heavy`."""
        values = (*values, limit)
        sql = f"SELECT {_SELECTED} FROM runs {where and 'WHERE ' + where} ORDER BY created_ns DESC, id LIMIT ?"
        return map(Row._make, self._db.execute(sql, values).fetchall())

    def heavy(self, run_id: str, column: str) -> Any:
        """Give a column that is read only when asked for."""
        row = self._db.execute(f"SELECT {column} FROM runs WHERE id = ?", (run_id,)).fetchone()
        return row[0] if row else None

    def ask(self, sql: str, values: Iterable[object] = ()) -> list[Any]:
        """Give the rows of a question."""
        return self._db.execute(sql, tuple(values)).fetchall()

    # ---------------------------------------------------------------- decoded journals, held for the next question

    def folding(self, run_id: str) -> RunFolding:
        """Give the decoded journals of a run, as of their last refresh."""
        from runfolio.store.run_fold import RunFolding  # numpy: only where something must be read anew

        found = self._held.pop(run_id, None)
        if found is None:
            found = RunFolding(self.layout, run_id)
        return found

    def files(self, run_id: str) -> RunFiles:
        """Give the journals of a run, read anew."""
        folding = self.folding(run_id)
        folding.files.refresh(self._spools)
        self._hold(run_id, folding)
        return folding.files

    def _hold(self, run_id: str, folding: RunFolding) -> None:
        """Keep the decoded journals of a run that goes on or was asked for, within bounds."""
        self._held[run_id] = folding
        total = sum(held.files.size_bytes for held in self._held.values())
        while total > HELD_BYTES_MAX and len(self._held) > 1:
            _, dropped = self._held.popitem(last=False)
            total -= dropped.files.size_bytes


def _new_version() -> int:
    return int.from_bytes(os.urandom(7), "little")


def _connect(path: str, empty: bool = False) -> sqlite3.Connection:
    """Open the file and make sure that it is an index of our form."""
    db = sqlite3.connect(path, timeout=LOCK_WAIT_S, check_same_thread=False)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA synchronous = NORMAL")
        if not empty and not _is_ours(db):
            if path != ":memory:" and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise sqlite3.DatabaseError("an index of another form")
            db.executescript(f"BEGIN IMMEDIATE;{_DEFINITION}COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _is_ours(db: sqlite3.Connection) -> bool:
    try:
        return bool(db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == (str(SCHEMA),))
    except sqlite3.OperationalError:
        return False


def _remove(path: str) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        try:
            os.unlink(path + suffix)
        except OSError:
            pass
