"""Read the first rows of a table: of text with separators by Python's csv, of Parquet by a DuckDB that sees this one file and nothing else.

Cells are text, as it stands in the file or as the type has it; none is longer than a screen needs. DuckDB is imported here, when asked.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from contextlib import closing
from threading import Timer
from typing import Any, NamedTuple, Protocol

ROWS_MAX = 200
COLUMNS_MAX = 200
CELL_CHARS_MAX = 500
READ_BYTES = 8 << 20
_MEMORY_MB = 128
_TIME_LIMIT_S = 5.0

Row = list[str | None]


class Source(Protocol):
    """An open file."""

    @property
    def fd(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...
    def read_at(self, start: int, size_bytes: int) -> bytes: ...


class Table(NamedTuple):
    """The first rows; `rows_total` is None where counting would read too much."""

    columns: list[str]
    rows: list[Row]
    rows_total: int | None
    cut: bool


# ------------------------------------------------------------------------------------------------------- text


def separated(source: Source, separator: str) -> Table | None:
    """Read text with separators; its first row names the columns. None where it is no table."""
    data = source.read_at(0, READ_BYTES)
    whole = len(data) == source.size_bytes
    text = (data if whole else data[: data.rfind(b"\n") + 1]).decode("utf-8-sig", "replace")
    if separator == "," and ";" in (first := text.partition("\n")[0]) and "," not in first:
        separator = ";"  # as spreadsheets write it where the comma is in the numbers
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        head = next(lines, [])
        rows, count, wide = _first_rows(lines, len(head))
    except csv.Error:  # a cell beyond all bounds
        return None
    if not head:
        return None
    cut = wide or not whole or count > len(rows) or len(head) > COLUMNS_MAX
    return Table([_short(name) for name in head[:COLUMNS_MAX]], rows, count if whole else None, cut)


def _first_rows(lines: Iterator[list[str]], width: int) -> tuple[list[Row], int, bool]:
    """Give the first rows, how many there are, and whether a row has more cells than there are columns."""
    rows: list[Row] = []
    count, wide = 0, False
    for line in lines:
        if not line:
            continue
        if count < ROWS_MAX:
            wide = wide or len(line) > width
            cells: Row = [_short(cell) for cell in line[: min(width, COLUMNS_MAX)]]
            rows.append(cells + [None] * (min(width, COLUMNS_MAX) - len(cells)))
        count += 1
    return rows, count, wide


def _short(text: str) -> str:
    return text if len(text) <= CELL_CHARS_MAX else f"{text[: CELL_CHARS_MAX - 1]}…"


# ------------------------------------------------------------------------------------------------------- Parquet


def parquet(source: Source) -> Table | None:
    """Read the beginning of a Parquet file; None where DuckDB cannot, within bounds of memory and time."""
    import duckdb

    path = _path_of(source)
    if path is None:
        return None
    try:
        with closing(_locked_to(path)) as db:
            timer = Timer(_TIME_LIMIT_S, db.interrupt)
            timer.daemon = True
            timer.start()
            try:
                return _read(db, path)
            finally:
                timer.cancel()
    except (duckdb.Error, UnicodeError, RuntimeError, MemoryError):
        return None


def _read(db: Any, path: str) -> Table:
    from_file = f"FROM read_parquet({_literal(path)})"
    db.execute(f"DESCRIBE SELECT * {from_file}")
    names = [row[0] for row in db.fetchall()]
    shown = names[:COLUMNS_MAX]
    cells = ", ".join(f"left(CAST({_quoted(name)} AS VARCHAR), {CELL_CHARS_MAX + 1})" for name in shown)
    rows = [[None if cell is None else _short(cell) for cell in row] for row in _rows(db, cells, from_file)]
    db.execute(f"SELECT num_rows FROM parquet_file_metadata({_literal(path)})")
    total = int(db.fetchone()[0])
    return Table([_short(name) for name in shown], rows, total, total > len(rows) or len(names) > len(shown))


def _rows(db: Any, cells: str, from_file: str) -> list[tuple[str | None, ...]]:
    db.execute(f"SELECT {cells} {from_file} LIMIT {ROWS_MAX}")
    found: list[tuple[str | None, ...]] = db.fetchall()
    return found


def _locked_to(path: str) -> Any:
    """Give a DuckDB that may read this path and nothing else, with little memory."""
    import duckdb

    config: dict[str, Any] = {
        "threads": 1,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "memory_limit": f"{_MEMORY_MB}MB",
    }
    db = duckdb.connect(":memory:", config=config)
    db.execute(f"SET allowed_paths = [{_literal(path)}]")
    db.execute("SET enable_external_access = false")
    db.execute("SET lock_configuration = true")
    return db


def _path_of(source: Source) -> str | None:
    """Name the file by its open descriptor: what was checked is what is read, whatever has its name now."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(folder):
            return f"{folder}/{source.fd}"
    return None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
