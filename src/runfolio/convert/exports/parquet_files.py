"""Runs as Parquet files: the five tables of SQL, one file each. Bit for bit, NaN and -0.0 among them.

No dictionaries: to one, -0.0 is 0.0 and every NaN the same. Points go through in pieces of a million rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from runfolio.errors import RunfolioError
from runfolio.query.relations import FRAMES, KIND, SERIES, VALUES, PointsInPieces

if TYPE_CHECKING:
    from runfolio.query.frame import Frame
    from runfolio.query.points import Part
    from runfolio.query.run import Run

_CONFIG: dict[str, str | int | float | list[str]] = {
    "threads": 1,  # keeps the order, in a third of the memory
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
}
_FORM = "FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, DICTIONARY_SIZE_LIMIT 0, ROW_GROUP_SIZE 122880, USE_TMP_FILE false"


def write_tables(folder: str, runs: Iterable[Run], points: Iterable[Part]) -> None:
    """Write runs, params, metrics, artifacts and points as `<table>.parquet` into a folder."""
    runs = list(runs)
    with _database() as db:
        for name, frame_of in FRAMES.items():
            _copy(db, frame_of(runs), os.path.join(folder, f"{name}.parquet"))
    write_points(os.path.join(folder, "points.parquet"), points)


def write_points(path: str, points: Iterable[Part]) -> None:
    """Write the table of points."""
    pieces = PointsInPieces()
    parts: list[str] = []
    done = 0
    with _database() as db:
        for frame in pieces.frames(points):
            parts.append(f"{path}.{len(parts)}")
            db.register(SERIES, pieces.series_frame(done))
            db.register(VALUES, frame)
            _run(db, f"COPY ({_in_order(done)}) TO {_quoted(parts[-1])} ({_FORM})", path)
            db.unregister(VALUES)
            db.unregister(SERIES)
            done = len(pieces.series)
        if len(parts) == 1:
            return os.replace(parts[0], path)
        sources = ", ".join(map(_quoted, parts))
        _run(db, f"COPY (SELECT * FROM read_parquet([{sources}])) TO {_quoted(path)} ({_FORM})", path)
    for part in parts:
        os.unlink(part)


def _in_order(begin: int) -> str:
    """Say in SQL how points are put together with their series, in the order they stand in: a join would keep none."""
    looked_up = (
        f"(SELECT list({name} ORDER BY series) FROM {SERIES})[series - {begin - 1}] AS {name}"
        for name in ("run", "name", "metric", "rank")
    )
    return f"SELECT {', '.join(looked_up)}, step, value, {KIND} AS kind, time FROM {VALUES}"


def _copy(db: Any, frame: Frame, path: str) -> None:
    db.register("frame", frame)
    _run(db, f"COPY (SELECT * FROM frame) TO {_quoted(path)} ({_FORM})", path)
    db.unregister("frame")


def _run(db: Any, query: str, path: str) -> None:
    import duckdb

    try:
        db.execute(query).fetchall()
    except duckdb.IOException as trouble:
        number = 28 if os.strerror(28) in str(trouble) else 5
        raise OSError(number, str(trouble).splitlines()[0], path) from trouble
    except duckdb.Error as trouble:
        raise RunfolioError(f"the Parquet file cannot be written: {str(trouble).splitlines()[0]}") from trouble


@contextmanager
def _database() -> Iterator[Any]:
    import duckdb

    db = duckdb.connect(":memory:", config=_CONFIG)
    try:
        yield db
    finally:
        db.close()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
