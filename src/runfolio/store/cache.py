"""The file of the index: SQLite in the reader's own cache folder, or in memory where that folder will not have it.

Whatever is wrong with the file costs a rebuild and nothing else: it is made anew where it is damaged or of another form, and left where it is
locked, full or read-only. No WAL: its shared memory does not hold on network file systems, and writes are few.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from runfolio.errors import UsageError
from runfolio.store import functions, laid_out
from runfolio.store.run_row import COLUMNS, HEAD, HEAVY, LIGHT, Row

SCHEMA = 3
HEAVY_BYTES_MAX = 1 << 16
"""A bigger column is read only when asked for."""
POINTS_BYTES_MAX = 512 << 20
"""The points that are remembered, all together; beyond it the oldest are forgotten."""
LOCK_WAIT_S = 2.0
_IDS_AT_ONCE = 500
PAGES_KIB = 32 << 10
"""Of the file that are kept in memory."""
_PAGE_BYTES = 8 << 10
"""A run with some params and 20 metrics takes 2.5 KB: three to a page, where one would have the usual 4 KiB for itself."""

_DEFINITION = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE runs (
    number INTEGER PRIMARY KEY, laid_out INTEGER, id TEXT UNIQUE, folder_ns INTEGER, names INTEGER, open TEXT, settled INTEGER,
    version INTEGER, name TEXT, experiment TEXT, status TEXT, reason TEXT, since_ns INTEGER, created_ns INTEGER, started_ns INTEGER,
    ended_ns INTEGER, last_ns INTEGER, earlier_ns INTEGER, deleted INTEGER, archived INTEGER, params TEXT, more TEXT, summaries BLOB
);
CREATE INDEX runs_look ON runs (settled, id, folder_ns);
CREATE INDEX runs_newest ON runs (created_ns DESC, id);
CREATE INDEX runs_shown ON runs (
    deleted, archived, created_ns DESC, id, laid_out, version, name, experiment, status, reason, since_ns, started_ns, ended_ns, last_ns, earlier_ns
);
CREATE INDEX runs_name ON runs (name);
CREATE TABLE aliases (name TEXT, run TEXT, PRIMARY KEY (name, run)) WITHOUT ROWID;
{laid_out.DEFINITION}
CREATE TABLE points (metric TEXT, run TEXT, rank INTEGER, version INTEGER, points BLOB);
CREATE INDEX points_of ON points (metric, run);
INSERT INTO meta VALUES ('schema', '{SCHEMA}');
"""
_SELECTED = ", ".join(
    f"CASE WHEN length({name}) <= {HEAVY_BYTES_MAX} THEN {name} END" if name in HEAVY else name for name in COLUMNS
)
_NEWEST = "created_ns DESC, id"
T = TypeVar("T")


class Folder(NamedTuple):
    """What is known of the folder of a run's journals, to see whether it changed."""

    folder_ns: int
    names: int  # crc of the names in it
    open: str | None  # the journals to look at again
    settled: int  # whether the folder's time alone tells


class Cache:
    """Rows in SQLite.

    Contract: not for several threads at once; several processes may share the file.
    """

    def __init__(self, path: str, pages_kib: int = PAGES_KIB) -> None:
        self.path = path
        self._pages_kib = pages_kib
        self._names: dict[tuple[str, str], int] = {}  # those that are known to stand in the file
        self.db = self._open()

    def _open(self) -> sqlite3.Connection:
        for _ in range(2):
            try:
                os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
                return _connect(self.path, self._pages_kib)
            except (sqlite3.OperationalError, OSError):
                break  # locked, not writable, no room
            except sqlite3.DatabaseError:
                _remove(self.path)
        return _connect(":memory:")

    @property
    def written(self) -> int:
        """How many rows were written through this connection."""
        return self.db.total_changes

    def version(self) -> tuple[object, int]:
        """Give what is another one when another connection has written to the file, or this is another file."""
        return self.db, self.ask("PRAGMA data_version")[0][0]

    def safely(self, act: Callable[[], T]) -> T:
        """Act in a transaction; where the file fails, again on a fresh one or one in memory."""
        for _ in range(3):
            try:
                with self.db:
                    return act()
            except sqlite3.DatabaseError as trouble:
                self.recover(trouble)
            except BaseException:
                self._names = {}  # with what was written their numbers are taken back
                raise
        return act()

    def recover(self, trouble: sqlite3.DatabaseError) -> None:
        """Go on with a fresh file where this one is damaged, in memory where it is only out of reach."""
        self._names = {}
        if isinstance(trouble, sqlite3.ProgrammingError):
            raise UsageError("this store is closed; open it again") from trouble
        if isinstance(trouble, sqlite3.OperationalError) and "no such" not in str(trouble):
            return self._go_to_memory()
        self.db.close()
        _remove(self.path)
        self.db = self._open()

    def _go_to_memory(self) -> None:
        """Go on in memory, with what the file knows where it can be read."""
        old, self.db = self.db, _connect(":memory:", empty=True)
        until = time.monotonic() + LOCK_WAIT_S

        def give_up(*_: int) -> None:
            if time.monotonic() > until:
                raise sqlite3.OperationalError("the index stays locked")

        try:
            old.rollback()
            old.backup(self.db, progress=give_up)
            if not _is_ours(self.db):
                raise sqlite3.OperationalError("no index of ours")
        except sqlite3.Error:
            self.db.close()
            self.db = _connect(":memory:")
        old.close()

    def close(self) -> None:
        self.db.close()

    # ---------------------------------------------------------------- runs

    def ask(self, sql: str, values: Iterable[object] = ()) -> list[Any]:
        """Give the rows of a question."""
        return self.db.execute(sql, _safe(values)).fetchall()

    def rows(self, where: str = "", values: Iterable[object] = (), limit: int = -1, order: str = "") -> list[Row]:
        """Give the runs that a condition of SQL fits, newest first; of a big column None, to be read by `heavy`.

        Args:
            values: those of the condition, then those of the order.
            order: what else to sort by, before.
        """
        if order:
            ids = [head[0] for head in self.heads(where, values, limit, order)]
            found = self.rows_of(ids)
            return [found[id_] for id_ in ids if id_ in found]
        sql = f"SELECT {_SELECTED} FROM runs {where and 'WHERE ' + where} ORDER BY {_NEWEST} LIMIT ?"
        return list(map(Row._make, self.ask(sql, (*values, limit))))

    def heads(
        self,
        where: str = "",
        values: Iterable[object] = (),
        limit: int = -1,
        order: str = "",
        columns: Sequence[str] = HEAD,
    ) -> list[tuple[Any, ...]]:
        """Give of the same runs `HEAD` only, or `LIGHT`. Of those that have come to rest and are laid out, SQLite reads no packed column for it."""
        by = f"{order}, {_NEWEST}" if order else _NEWEST
        sql = f"SELECT {', '.join(columns)} FROM runs {where and 'WHERE ' + where} ORDER BY {by} LIMIT ?"
        return self.ask(sql, (*values, limit))

    def light_rows(
        self, where: str = "", values: Iterable[object] = (), limit: int = -1, order: str = ""
    ) -> Iterator[Row]:
        """Give the same runs, None for each packed column."""
        nothing = (None,) * len(HEAVY)
        return (Row._make(values + nothing) for values in self.heads(where, values, limit, order, LIGHT))

    def rows_of(self, ids: Sequence[str], light: bool = False) -> dict[str, Row]:
        """Give the runs of these ids; of a big column None, to be read by `heavy`; with `light` of each packed one."""
        found: dict[str, Row] = {}
        columns, nothing = (", ".join(LIGHT), (None,) * len(HEAVY)) if light else (_SELECTED, ())
        for at in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[at : at + _IDS_AT_ONCE]
            sql = f"SELECT {columns} FROM runs WHERE id IN ({', '.join('?' * len(some))})"
            found.update((row[0], Row._make(row + nothing)) for row in self.ask(sql, some))
        return found

    def offer(self, name: str, function: Callable[[Any, Any], Any]) -> None:
        """Let questions call a function of two arguments."""
        self.db.create_function(name, 2, function)

    def packed(self, ids: Sequence[str], column: str) -> dict[str, Any]:
        """Give a packed column of many runs; None of one that is big, to be read by `heavy`."""
        found: dict[str, Any] = {}
        sql = (
            f"SELECT id, CASE WHEN length({column}) <= {HEAVY_BYTES_MAX} THEN {column} END FROM runs WHERE id IN ({{}})"
        )
        for at in range(0, len(ids), _IDS_AT_ONCE):
            some = ids[at : at + _IDS_AT_ONCE]
            found.update(self.ask(sql.format(", ".join("?" * len(some))), some))
        return found

    def row(self, run_id: str) -> Row:
        """Give all that is known of a run."""
        return Row._make(self.ask(f"SELECT {', '.join(COLUMNS)} FROM runs WHERE id = ?", (run_id,))[0])

    def heavy(self, run_id: str, column: str) -> Any:
        """Give a column that is read only when asked for; None where the run is gone."""
        found = self.ask(f"SELECT {column} FROM runs WHERE id = ?", (run_id,))
        return found[0][0] if found else None

    def write(self, row: Row, folder: Folder) -> None:
        """Put a run in, in the place of what was known of it."""
        before = self.ask("SELECT number, laid_out FROM runs WHERE id = ?", (row.id,))
        if before and before[0][1]:
            self._take_out(before[0][0])
        told = laid_out.told(row)
        rests = folder.open is None and told.small
        columns = ("number", "laid_out", *Folder._fields, *COLUMNS)
        values = (before[0][0] if before else None, int(rests), *folder, *row)
        marks = ", ".join("?" * len(columns))
        self.db.execute(f"INSERT OR REPLACE INTO runs ({', '.join(columns)}) VALUES ({marks})", _safe(values))
        self.db.execute("DELETE FROM aliases WHERE run = ?", (row.id,))
        aliases = [_safe((name, row.id)) for name in told.more["aliases"]]
        if aliases:
            self.db.executemany("INSERT OR IGNORE INTO aliases VALUES (?, ?)", aliases)
        for family, names in told.names():  # they stay when their last run has gone, until the file is made anew
            for name in names:
                self._number(family, name)
        if rests:
            self._lay_out(row.id, told)

    def lay_out(self, run_id: str) -> None:
        """Lay out a run that has come to rest, for filters."""
        told = laid_out.told(self.row(run_id))
        if told.small:
            self._lay_out(run_id, told)
            self.db.execute("UPDATE runs SET laid_out = 1 WHERE id = ?", (run_id,))

    def _lay_out(self, run_id: str, told: laid_out.Told) -> None:
        ((number,),) = self.ask("SELECT number FROM runs WHERE id = ?", (run_id,))
        facts = map(_safe, laid_out.facts(told, number, self._number))
        self.db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)", facts)
        numbers = laid_out.numbers(told, number, self._number)
        self.db.executemany("INSERT OR REPLACE INTO numbers VALUES (?, ?, ?, ?, ?)", numbers)

    def _take_out(self, number: int) -> None:
        for sql in laid_out.TAKE_OUT:
            self.db.execute(sql, (number,))

    def _number(self, family: str, name: str) -> int:
        """Give the number of a name, a new one where it has none."""
        found = self._names.get((family, name))
        if found is None:
            pair = _safe((family, name))
            self.db.execute("INSERT OR IGNORE INTO names (family, name) VALUES (?, ?)", pair)
            ((found,),) = self.ask("SELECT number FROM names WHERE family = ? AND name = ?", pair)
            self._names[family, name] = found
        return found

    def names(self) -> dict[str, frozenset[str]]:
        """Give the names of all params, metrics, summary values, tags and declared goals, by family."""
        found: dict[str, set[str]] = {family: set() for family in ("params", "metrics", "summary", "tags", "goals")}
        for family, name in self.ask("SELECT family, name FROM names"):
            found[family].add(name)
        return {family: frozenset(names) for family, names in found.items()}

    def forget(self, run_id: str) -> None:
        """Take a run out."""
        for (number,) in self.ask("SELECT number FROM runs WHERE id = ? AND laid_out = 1", (run_id,)):
            self._take_out(number)
        self.db.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        self.db.execute("DELETE FROM aliases WHERE run = ?", (run_id,))

    # ---------------------------------------------------------------- points

    def points(self, metric: str, run_id: str | None = None) -> dict[tuple[str, int | None], tuple[int, bytes]]:
        """Give the remembered points of a metric by run and rank, each with the version of the run they are of."""
        where, values = ("metric = ?", (metric,)) if run_id is None else ("metric = ? AND run = ?", (metric, run_id))
        found = self.ask(f"SELECT run, rank, version, points FROM points WHERE {where}", values)
        return {(run, rank): (version, blob) for run, rank, version, blob in found}

    def remember(self, points: Sequence[tuple[str, str, int | None, int, bytes]]) -> None:
        """Remember points: metric, run, rank, version of the run, packed. Where they take too much, twice as many of the oldest go."""
        if self._used_bytes() > POINTS_BYTES_MAX:
            oldest = "SELECT rowid FROM points ORDER BY rowid LIMIT ?"
            self.db.execute(f"DELETE FROM points WHERE rowid IN ({oldest})", (2 * len(points),))
        for metric, run, rank, version, blob in points:
            self.db.execute("DELETE FROM points WHERE metric = ? AND run = ? AND rank IS ?", (metric, run, rank))
            self.db.execute("INSERT INTO points VALUES (?, ?, ?, ?, ?)", (metric, run, rank, version, blob))

    def _used_bytes(self) -> int:
        pages, free, size = (self.ask(f"PRAGMA {what}")[0][0] for what in ("page_count", "freelist_count", "page_size"))
        return int((pages - free) * size)


def _safe(values: Iterable[object]) -> tuple[object, ...]:
    """Escape half surrogate pairs, which SQLite's UTF-8 cannot carry; no name that a writer takes has any."""
    return tuple(
        value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value for value in values
    )


def _connect(path: str, pages_kib: int = PAGES_KIB, empty: bool = False) -> sqlite3.Connection:
    """Open the file and make sure that it is an index of our form."""
    db = sqlite3.connect(path, timeout=LOCK_WAIT_S, check_same_thread=False)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        functions.register(db)
        db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")  # in memory too: a backup needs the same
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"PRAGMA cache_size = -{pages_kib}")
        if not empty and not _is_ours(db):
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise sqlite3.DatabaseError("an index of another form")
            db.executescript(f"BEGIN IMMEDIATE;{_DEFINITION}COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _is_ours(db: sqlite3.Connection) -> bool:
    try:
        return bool(db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == (str(SCHEMA),))
    except sqlite3.OperationalError as trouble:
        if "no such table" in str(trouble):
            return False
        raise


def _remove(path: str) -> None:
    for suffix in ("", "-journal"):
        try:
            os.unlink(path + suffix)
        except OSError:
            pass
