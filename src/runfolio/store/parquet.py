"""Write the points of a run as one Parquet file, and read them back, bit for bit.

One row per point, also those that a later write replaced: metric, rank, step (null: none), value, kind (`float`, `int`, `bool`), time, attempt,
writer, seq; sorted by metric, rank, attempt, writer, seq. Format 2 pages with zstd and without dictionaries: a dictionary holds one NaN for all,
and 0.0 for -0.0. Points go in as Arrow, as DuckDB's numpy scan turns NaN into NULL. About 7 bytes per point for random floats, 1.5 more where
the times jitter. Memory: one chunk of a million points, about 50 MB.

DuckDB and nanoarrow are imported here, when asked. Their errors become OSError where a file is written, `Unreadable` where one is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import Unreadable
from runfolio.journal.columns import Column

ROWS_MAX = 1 << 20
"""Points that are held in memory at once."""

_GROUP_ROWS = 122_880
_LEVEL = 12  # of zstd; 3 takes half the time, and 0.1 bytes more per point
_GROUP_NAME_BYTES = 64 << 20  # a row group repeats the name of its metric in memory
_KEY = "runfolio"
_SELECT = """
    SELECT (SELECT list(name ORDER BY code) FROM names)[metric + 1] AS metric,
        (SELECT list(rank ORDER BY code) FROM writers)[writer + 1] AS rank,
        step, value,
        CASE kind WHEN 105 THEN 'int' WHEN 98 THEN 'bool' ELSE 'float' END AS kind,
        make_timestamp_ns(time) AS time,
        (SELECT list(attempt ORDER BY code) FROM writers)[writer + 1] AS attempt,
        (SELECT list(id ORDER BY code) FROM writers)[writer + 1] AS writer,
        seq
    FROM points"""
# Each by a name of ours: DuckDB gives a column the name that stands in the file, and finds it also where a letter's case is another.
_COLUMNS = """coalesce(step, 0) AS step, step IS NULL AS final, value AS value,
    CASE kind WHEN 'int' THEN 105 WHEN 'bool' THEN 98 ELSE 102 END::UTINYINT AS kind, epoch_ns(time) AS time, seq AS seq"""


class Origin(NamedTuple):
    """A writer whose points are in the file."""

    id: str
    attempt: int
    rank: int | None


class Run(NamedTuple):
    """Points of one metric by one writer, by rising sequence number."""

    metric: str
    origin: Origin
    column: Column

    @property
    def order_key(self) -> tuple[str, bool, int, int, str]:
        """The place of these points in the file."""
        return place(self.metric, self.origin)


class Points(NamedTuple):
    """Points of one metric, or of all, in the order of the file.

    Shape: every array has one element for each point.
    """

    steps: NDArray[np.int64]  # 0 where final
    final: NDArray[np.bool_]
    values: NDArray[np.float64]
    kinds: NDArray[np.uint8]  # ord of 'f', 'i', 'b'
    times_ns: NDArray[np.int64]
    seq: NDArray[np.int64]
    writer: NDArray[np.int64]  # position in the file's `origins`

    def column(self, writer: int) -> Column:
        """Give the points of one writer."""
        at = self.writer == writer
        return column_of(array[at] for array in self[:6])


def column_of(arrays: Iterable[NDArray[Any]]) -> Column:
    """Make a column of its arrays in their order."""
    return Column(*arrays)


def place(metric: str, origin: Origin) -> tuple[str, bool, int, int, str]:
    """Give what the rows are sorted by, but for the sequence number."""
    return (metric, origin.rank is not None, origin.rank or 0, origin.attempt, origin.id)


# ------------------------------------------------------------------------------------------------------------ writing


def write(
    path: Callable[[], str],
    runs: Iterable[Run],
    origins: list[Origin],
    meta: dict[str, Any],
    *,
    name_bytes_max: int,
    rows_max: int = ROWS_MAX,
) -> str:
    """Write points that come in the order of the file; return where.

    Args:
        path: makes a fresh empty file and gives its path.
        meta: for the file's metadata, `signed`.
        name_bytes_max: the longest name of a metric.

    Raises:
        OSError: the file cannot be written.
    """
    group_rows = min(_GROUP_ROWS, max(2048, _GROUP_NAME_BYTES // max(1, name_bytes_max) // 2048 * 2048))
    files: list[str] = []
    with _cursor() as cursor, _writing(files):
        _tell_origins(cursor, origins)
        codes = {origin.id: code for code, origin in enumerate(origins)}
        for chunk in _chunks(runs, rows_max):
            _tell_points(cursor, chunk, codes)
            files.append(path())
            _copy(cursor, _SELECT, files[-1], group_rows, meta)
        if len(files) > 1:
            parts = ", ".join(map(_quoted, files))
            files.append(path())
            _copy(cursor, f"SELECT * FROM read_parquet([{parts}])", files[-1], group_rows, meta)
            for part in files[:-1]:
                os.unlink(part)
    return files[-1]


def _chunks(runs: Iterable[Run], rows_max: int) -> Iterator[list[Run]]:
    """Gather points to so many at a time."""
    chunk: list[Run] = []
    rows = 0
    for run in runs:
        while rows + len(run.column.seq) > rows_max:
            head = rows_max - rows
            chunk.append(run._replace(column=column_of(array[:head] for array in run.column)))
            yield chunk
            run = run._replace(column=column_of(array[head:] for array in run.column))
            chunk, rows = [], 0
        chunk.append(run)
        rows += len(run.column.seq)
    yield chunk


def _tell_origins(cursor: Any, origins: list[Origin]) -> None:
    cursor.execute("CREATE OR REPLACE TEMP TABLE writers (code BIGINT, id VARCHAR, attempt BIGINT, rank BIGINT)")
    for code, origin in enumerate(origins):
        cursor.execute("INSERT INTO writers VALUES (?, ?, ?, ?)", [code, *origin])


def _tell_points(cursor: Any, chunk: list[Run], codes: dict[str, int]) -> None:
    """Hand a chunk to DuckDB as the views `names` and `points`."""
    import nanoarrow as na  # type: ignore[import-untyped]

    names = list(dict.fromkeys(run.metric for run in chunk))
    code_of = {name: code for code, name in enumerate(names)}
    raw = [name.encode() for name in names]
    ends = np.cumsum([0, *map(len, raw)], dtype=np.int64)
    _register(
        cursor,
        "names",
        code=(na.int64(), [None, np.arange(len(names), dtype=np.int64)]),
        name=(na.large_string(), [None, ends, b"".join(raw)]),
    )
    lengths = [len(run.column.seq) for run in chunk]
    columns = [run.column for run in chunk] or [_empty()]
    steps, final, values, kinds, times_ns, seq = (np.concatenate(arrays) for arrays in zip(*columns, strict=True))
    _register(
        cursor,
        "points",
        metric=(na.int32(), [None, np.repeat(np.array([code_of[run.metric] for run in chunk], np.int32), lengths)]),
        writer=(na.int32(), [None, np.repeat(np.array([codes[run.origin.id] for run in chunk], np.int32), lengths)]),
        step=(na.int64(), [np.packbits(~final, bitorder="little") if final.any() else None, steps]),
        value=(na.float64(), [None, values]),
        kind=(na.uint8(), [None, kinds]),
        time=(na.int64(), [None, times_ns]),
        seq=(na.int64(), [None, seq]),
    )


def _register(cursor: Any, view: str, **columns: tuple[Any, list[Any]]) -> None:
    import nanoarrow as na

    length = len(next(iter(columns.values()))[1][1])
    children = [na.c_array_from_buffers(kind, length, buffers) for kind, buffers in columns.values()]
    schema = na.struct({name: kind for name, (kind, _) in columns.items()})
    batch = na.c_array_from_buffers(schema, length, [None], children=children)
    cursor.register(view, na.ArrayStream(na.c_array_stream(batch)))


def _empty() -> Column:
    return column_of(np.empty(0, kind) for kind in (np.int64, np.bool_, np.float64, np.uint8, np.int64, np.int64))


def _copy(cursor: Any, select: str, path: str, group_rows: int, meta: dict[str, Any]) -> None:
    told = _quoted(json.dumps(meta, allow_nan=False))
    cursor.execute(
        f"COPY ({select}) TO {_quoted(path)} (FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, COMPRESSION_LEVEL {_LEVEL}, "
        f"DICTIONARY_SIZE_LIMIT 0, ROW_GROUP_SIZE {group_rows}, USE_TMP_FILE false, KV_METADATA {{{_KEY}: {told}}})"
    )


# ------------------------------------------------------------------------------------------------------------ reading


def signed(meta: dict[str, Any]) -> dict[str, Any]:
    """Add an `id` that is the hash of all the rest."""
    rest = {key: value for key, value in meta.items() if key != "id"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return {"id": sha256(text.encode()).hexdigest()[:32], **rest}


def read_meta(path: str) -> dict[str, Any]:
    """Read what was told when the file was written.

    Raises:
        FileNotFoundError: there is none. Unreadable: it is no Parquet file of ours, or damaged.
    """
    with _reading(path) as cursor:
        rows = cursor.execute("SELECT key, value FROM parquet_kv_metadata(?)", [path]).fetchall()
    for key, value in rows:
        if bytes(key) == _KEY.encode():
            try:
                found = json.loads(bytes(value))
            except ValueError:
                break
            if isinstance(found, dict) and found == signed(found):
                return found
    raise Unreadable(f"what metrics.parquet tells of itself is damaged, or it is none of ours: {path}")


def count_rows(path: str) -> int:
    """Count the rows by decoding every page of every column.

    Raises:
        FileNotFoundError: there is none. Unreadable: it is damaged.
    """
    return sum(len(points.seq) for _, points in _read_chunks(path, [], ROWS_MAX))


def read(path: str, metric: str, origins: list[str]) -> Points:
    """Read one metric.

    Args:
        origins: the ids of the writers; `Points.writer` counts in these, -1 for another.

    Raises:
        FileNotFoundError: there is none. Unreadable: it is damaged.
    """
    with _reading(path) as cursor:
        found = cursor.execute(
            f"SELECT {_COLUMNS}, {_writer_code(origins)} AS writer FROM read_parquet(?) WHERE metric = ?",
            [path, metric],
        ).fetchnumpy()
    return _points(found)


def read_runs(path: str, origins: list[Origin], rows_max: int = ROWS_MAX) -> Iterator[Run]:
    """Read everything in the order of the file, a run of one metric and writer at a time; long ones come in pieces.

    Raises:
        FileNotFoundError: there is none. Unreadable: it is damaged.
    """
    for names, points in _read_chunks(path, [origin.id for origin in origins], rows_max):
        begins = np.flatnonzero(np.concatenate([[True], (names[1:] != names[:-1]) | (np.diff(points.writer) != 0)]))
        for start, end in zip(begins, [*begins[1:], len(names)], strict=True):
            writer = int(points.writer[start])
            if writer >= 0:
                yield Run(str(names[start]), origins[writer], column_of(array[start:end] for array in points[:6]))


def _read_chunks(path: str, origins: list[str], rows_max: int) -> Iterator[tuple[NDArray[np.object_], Points]]:
    at = 0
    while True:
        with _reading(path) as cursor:
            found = cursor.execute(
                f"SELECT metric AS metric, rank, attempt, {_COLUMNS}, {_writer_code(origins)} AS writer FROM read_parquet(?, file_row_number = true) "
                "WHERE file_row_number >= ? AND file_row_number < ?",
                [path, at, at + rows_max],
            ).fetchnumpy()
        if not len(found["seq"]):
            return
        yield np.asarray(found["metric"], object), _points(found)
        at += rows_max


def _writer_code(origins: list[str]) -> str:
    """Say in SQL which of the writers a row has; ids are hexadecimal."""
    return f"coalesce(list_position([{', '.join(map(_quoted, origins))}]::VARCHAR[], writer), 0) - 1"


def _points(found: dict[str, Any]) -> Points:
    arrays = (found[name] for name in ("step", "final", "value", "kind", "time", "seq", "writer"))
    kinds = (np.int64, np.bool_, np.float64, np.uint8, np.int64, np.int64, np.int64)
    return Points(*(np.asarray(array, kind) for array, kind in zip(arrays, kinds, strict=True)))


# ------------------------------------------------------------------------------------------------------------- DuckDB

_connections: dict[int, Any] = {}


def _connection() -> Any:
    """Give this process's own DuckDB: nothing is fetched from a network, and a forked child has another."""
    import duckdb

    if os.getpid() not in _connections:
        # one thread: with two, a writer that keeps the order holds three times the memory
        config: dict[str, Any] = {
            "threads": 1,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        _connections[os.getpid()] = duckdb.connect(":memory:", config=config)
    return _connections[os.getpid()]


@contextmanager
def _cursor() -> Iterator[Any]:
    cursor = _connection().cursor()
    try:
        yield cursor
    finally:
        cursor.close()


@contextmanager
def _writing(files: list[str]) -> Iterator[None]:
    """Remove the files again, and raise OSError, where one cannot be written."""
    import duckdb

    try:
        yield
    except BaseException as trouble:
        for path in files:
            if os.path.exists(path):
                os.unlink(path)
        if not isinstance(trouble, (duckdb.Error, UnicodeEncodeError)):
            raise
        number = 28 if os.strerror(28) in str(trouble) else 5
        raise OSError(
            number, f"the Parquet file cannot be written: {_first_line(trouble)}", files[-1] if files else None
        ) from trouble


@contextmanager
def _reading(path: str) -> Iterator[Any]:
    import duckdb

    if not os.path.exists(path):
        raise FileNotFoundError(2, os.strerror(2), path)
    try:
        with _cursor() as cursor:
            yield cursor
    except (duckdb.Error, UnicodeError, RuntimeError) as trouble:
        raise Unreadable(f"metrics.parquet cannot be read: {_first_line(trouble)}: {path}") from trouble


def _first_line(trouble: Exception) -> str:
    return str(trouble).splitlines()[0] if str(trouble) else type(trouble).__name__


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
