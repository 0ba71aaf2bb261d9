"""Answer SQL over the runs of a store, by a DuckDB of its own that is locked: one SELECT, no files, no network, no extensions, bounded.

Only the tables that a query names are built, and of the points only those that its WHERE leaves. They are handed over as Arrow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Timer
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from runfolio.errors import FilterError, UsageError
from runfolio.query.frame import Column, Frame, Numbers, Text, arrow_stream, floats, ints
from runfolio.query.points import read_parts
from runfolio.query.relations import BYTES_PER_POINT, FRAMES, POINTS_VIEW, SERIES, TABLES, VALUES, PointsInPieces
from runfolio.query.sql_scope import ALL, Scope, scope_of, tables_of

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

_THREADS = 2
_LOCKED: dict[str, str | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    "python_enable_replacements": "false",  # a Python variable of the caller is no table
    "temp_directory": "",
    "errors_as_json": "true",
    "threads": _THREADS,
}
_ROWS_AT_ONCE = 10_000
_CELL_BYTES = 40
_MB = 1 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SqlResult(Frame):
    """The rows of an answer. `kinds` tells of each column whether it is bool, int, float, text, time or json."""

    def __init__(self, names: Sequence[str], kinds: Sequence[str], rows: list[tuple[Any, ...]], more: bool) -> None:
        self.kinds = list(kinds)
        self.more = more
        """Whether there are more rows than the limit."""
        self._names = list(names)
        self._rows = rows
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        free = distinct(names)
        super().__init__({name: _column(kind, values) for name, kind, values in zip(free, kinds, columns, strict=True)})

    @property
    def columns(self) -> list[str]:
        """The names as the query gave them; in frames, one that stands twice is numbered."""
        return list(self._names)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows; times as datetimes in UTC, lists and objects as Python's."""
        return (tuple(map(_python, self.kinds, row)) for row in self._rows)

    def plain(self) -> Iterator[list[Any]]:
        """Yield the rows in plain values: times as ISO 8601 to their last digit."""
        return (list(map(_plain, self.kinds, row)) for row in self._rows)


def answer(store: Store, query: str, limit: int | None, time_limit_s: float, memory_mb: int) -> SqlResult:
    """Answer a query.

    Raises:
        FilterError: it cannot be understood; the column tells where. UsageError: it takes too long, or too much memory.
    """
    if limit is not None and limit < 0:
        raise UsageError(f"limit must be 0 or more, not {limit}")
    if not time_limit_s > 0 or memory_mb < 50:
        raise UsageError("time_limit_s must be more than 0, and memory_mb 50 or more")
    import duckdb

    with closing(duckdb.connect(":memory:", config=_LOCKED)) as db:
        stop = _Stop(db, time_limit_s)
        sent = _Sent(db, query)
        with _told(sent, stop, memory_mb):
            handed_mb = _hand_over(db, store, _asked(db, query), memory_mb)
            _lock(db, memory_mb - handed_mb)
            with stop:
                return _fetch(sent, limit, memory_mb)


# --------------------------------------------------------------------------------------------------------- the query


class _Sent:
    """A query as it is sent: inside another, whose begin is not counted in what a user is told."""

    def __init__(self, db: Any, query: str) -> None:
        self.query = query
        self._db = db
        self._before = 0

    def inside(self, before: str, behind: str) -> Any:
        """Send it as a table of another query, which ends in `FROM (`."""
        self._before = len(before.encode())
        return self._db.execute(f"{before}{_bare(self.query)}\n){behind}")

    def column(self, position: int) -> int:
        """Give the column in the query of a place in bytes in what was sent last."""
        at = max(0, min(position - self._before, len(self.query.encode())))
        return len(self.query.encode()[:at].decode(errors="ignore"))


class _Asked(NamedTuple):
    """What of the store a query can see."""

    tables: set[str]
    scope: Scope
    only_form: bool  # it asks for names and types, and for no row


def _bare(query: str) -> str:
    """Cut off a semicolon, and the comment behind it."""
    import duckdb

    raw = query.encode()
    ends = [at for at, _ in duckdb.tokenize(query) if raw[at : at + 1] == b";"]
    return raw[: ends[0]].decode(errors="ignore") if ends else query


def _asked(db: Any, query: str) -> _Asked:
    """Accept one SELECT only; give the tables that it names, and which points it can see."""
    statements = db.extract_statements(query)
    kinds = [str(statement.type).rpartition(".")[2] for statement in statements]
    if kinds != ["SELECT"]:
        what = "nothing" if not kinds else f"{len(kinds)} statements" if len(kinds) > 1 else kinds[0]
        raise UsageError(f"only one SELECT is answered, and this is {what}; nothing can be changed here")
    if query.split(None, 1)[0].lower() in ("describe", "desc", "show"):
        return _Asked(set(TABLES), ALL, only_form=True)
    tree = _tree(db, query)
    named = set(TABLES) & (_words(query) if tree is None else tables_of(tree))
    return _Asked(named, ALL if tree is None else scope_of(tree), only_form=False)


def _tree(db: Any, query: str) -> Any:
    """Give the query as a tree; None where this DuckDB has no form for it."""
    try:
        ((text,),) = db.execute("SELECT json_serialize_sql(?)", [query]).fetchall()
        tree = json.loads(text)
    except Exception:
        return None
    return None if tree.get("error") else tree


def _words(query: str) -> set[str]:
    return set(re.findall(r"\w+", query.lower()))


# --------------------------------------------------------------------------------------------------------- the tables


def _hand_over(db: Any, store: Store, asked: _Asked, memory_mb: int) -> int:
    """Register the tables that are named; return how many MB the points among them take."""
    runs = [] if asked.only_form else store.runs()
    named, scope = asked.tables, asked.scope
    for name in FRAMES.keys() & named:
        db.register(name, _Handed([FRAMES[name](runs)]))
    if "points" not in named:
        return 0
    chosen = [run for run in runs if scope.runs is None or run.id in scope.runs]
    metrics = sorted(store.names()["metrics"] if scope.metrics is None else scope.metrics)
    count = sum(_count(run, scope.metrics) for run in chosen)
    if count * BYTES_PER_POINT > memory_mb * _MB // 2:
        need_mb = 2 * count * BYTES_PER_POINT // _MB + 1
        raise UsageError(
            f"this query reads {count:,} points, which take more than half of {memory_mb:,} MB; name what is needed, as in "
            f"WHERE metric = 'loss', or allow {need_mb:,} MB: --memory, in Python memory_mb="
        )
    pieces = PointsInPieces()
    with store._lock:
        frames = store._index.answer(lambda: _read(store, pieces, chosen, metrics))
    db.register(VALUES, _Handed(frames))
    db.register(SERIES, _Handed([pieces.series_frame()]))
    db.execute(f"CREATE VIEW points AS {POINTS_VIEW}")
    return count * BYTES_PER_POINT // _MB


def _read(store: Store, pieces: PointsInPieces, runs: Sequence[Run], metrics: list[str]) -> list[Frame]:
    pieces.series.clear()  # where the index had to be asked twice
    return list(pieces.frames(read_parts(store._index, runs, metrics)))


def _count(run: Run, metrics: frozenset[str] | None) -> int:
    return sum(one.count + one.nan_count for name, one in run.metrics._packed if metrics is None or name in metrics)


class _Handed:
    """Frames of the same columns, as DuckDB takes them. It asks several times: for the columns, then for each scan."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return arrow_stream(self._frames, requested_schema)


# ---------------------------------------------------------------------------------------------------------- the lock


def _lock(db: Any, memory_mb: int) -> None:
    try:
        db.execute("SET TimeZone = 'UTC'")
    except Exception:
        pass  # a DuckDB that knows no time zones: it is in UTC
    db.execute(f"SET memory_limit = '{max(memory_mb, 32)}MB'")
    db.execute("SET lock_configuration = true")


class _Stop:
    """Stops a query when its time is up."""

    def __init__(self, db: Any, after_s: float) -> None:
        self.after_s = after_s
        self.came = Event()
        self._db = db
        self._timer = Timer(after_s, self._stop)
        self._timer.daemon = True

    def _stop(self) -> None:
        self.came.set()
        self._db.interrupt()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


@contextmanager
def _told(sent: _Sent, stop: _Stop, memory_mb: int) -> Iterator[None]:
    """Make DuckDB's errors ours."""
    import duckdb

    try:
        yield
    except duckdb.InterruptException as trouble:
        if not stop.came.is_set():
            raise KeyboardInterrupt from trouble
        raise UsageError(
            f"the query took longer than {stop.after_s:g} s and was stopped; narrow it, or allow more: --time-limit, in Python time_limit_s="
        ) from trouble
    except duckdb.OutOfMemoryException as trouble:
        raise UsageError(_too_much(memory_mb)) from trouble
    except duckdb.Error as trouble:
        reason, position = _reason(trouble)
        if position is None:
            raise UsageError(f"the query cannot be answered: {reason}") from trouble
        raise FilterError(reason, sent.query, sent.column(position)) from trouble


def _too_much(memory_mb: int) -> str:
    return f"the query takes more than {memory_mb:,} MB; narrow it, or allow more: --memory, in Python memory_mb="


def _reason(trouble: Exception) -> tuple[str, int | None]:
    """Give the first line of what DuckDB says, and the place in the query."""
    text = str(trouble)
    try:
        told = json.loads(text[text.index("{") :])
        lines = str(told["exception_message"]).splitlines()
        position = told.get("position")
    except (ValueError, KeyError, TypeError):
        return (text.splitlines() or [type(trouble).__name__])[0], None
    hint = next((f" {line}" for line in lines[1:] if line.startswith(("Did you mean", "Candidate bindings"))), "")
    return lines[0] + hint, int(position) if position is not None else None


# --------------------------------------------------------------------------------------------------------- the answer

_AS_IT_IS = {
    "bool": ("boolean",),
    "int": ("tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
    "float": ("double",),
    "text": ("varchar",),
}  # fmt: skip
_KIND_OF = {type_: kind for kind, types in _AS_IT_IS.items() for type_ in types}
_CAST = {
    "float": ("float", "DOUBLE"),
    "decimal": ("float", "DOUBLE"),
    "timestamp_ns": ("ns", "epoch_ns"),
    **dict.fromkeys(("timestamp", "timestamp_s", "timestamp_ms", "timestamp with time zone"), ("us", "epoch_us")),
    "json": ("json", "VARCHAR"),
}


def _fetch(sent: _Sent, limit: int | None, memory_mb: int) -> SqlResult:
    """Take the rows, of types that Python has; no more of them than memory is allowed for."""
    names, kinds, wanted = [], [], []
    for place, (name, type_, *_) in enumerate(sent.inside("DESCRIBE SELECT * FROM (\n", "").fetchall(), 1):
        kind, form = _form(type_, f"#{place}")
        names.append(name)
        kinds.append(kind)
        wanted.append(f"{form} AS {_quoted(name)}")
    found = sent.inside(f"SELECT {', '.join(wanted)} FROM (\n", "" if limit is None else f" LIMIT {limit + 1}")
    rows: list[tuple[Any, ...]] = []
    size = 0
    while chunk := found.fetchmany(_ROWS_AT_ONCE):
        size += sum(_CELL_BYTES + len(cell) if isinstance(cell, str) else _CELL_BYTES for row in chunk for cell in row)
        if size > memory_mb * _MB:
            raise UsageError(f"the answer has more than {len(rows):,} rows, and {_too_much(memory_mb)}")
        rows += chunk
    more = limit is not None and len(rows) > limit
    return SqlResult(names, kinds, rows[:limit], more)


def _form(type_: str, place: str) -> tuple[str, str]:
    """Say what a column of DuckDB's type is given as, and how to ask for that."""
    head = type_.partition("(")[0].lower()
    if type_.endswith("]") or head in ("struct", "map", "union"):
        return "json", f"to_json({place})::VARCHAR"
    if head in _KIND_OF:
        return _KIND_OF[head], place
    kind, how = _CAST.get(head, ("text", "VARCHAR"))
    return kind, f"{place}::{how}" if how.isupper() else f"{how}({place})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def distinct(names: Sequence[str]) -> list[str]:
    """Number the names that stand twice."""
    found: list[str] = []
    for name in names:
        free, number = name, 1
        while free in found:
            free, number = f"{name}_{number}", number + 1
        found.append(free)
    return found


def _column(kind: str, values: Sequence[Any]) -> Column:
    if kind == "bool":
        present = np.array([value is not None for value in values], np.bool_)
        return Numbers(np.array([bool(value) for value in values], np.bool_), present)
    if kind == "int":
        fits = all(value is None or -(2**63) <= value < 2**63 for value in values)
        return ints(values) if fits else Text([None if value is None else str(value) for value in values])
    if kind == "float":
        return floats(values)
    if kind in ("us", "ns"):
        column = ints(values)
        return column._replace(values=column.values.view(f"datetime64[{kind}]"))
    return Text(values)


def _python(kind: str, value: Any) -> Any:
    if value is None or kind not in ("us", "ns", "json"):
        return value
    if kind == "json":
        return _parsed(value)
    return _EPOCH + timedelta(microseconds=value if kind == "us" else value // 1000)


def _plain(kind: str, value: Any) -> Any:
    if value is None or kind not in ("us", "ns", "json"):
        return value
    return _parsed(value) if kind == "json" else f"{np.datetime64(value, 'us' if kind == 'us' else 'ns')}Z"


def _parsed(text: str) -> Any:
    """Read JSON; text that is none, as DuckDB writes NaN in a list, stays text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
