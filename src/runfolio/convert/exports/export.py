"""Export runs: choose the format, write beside, put in place whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from runfolio.convert.exports import folder, objects, parquet_files, spreadsheets
from runfolio.convert.exports.folder import Lacking
from runfolio.convert.exports.placing import placed_file, placed_folder
from runfolio.errors import UsageError
from runfolio.query.runs import Runs
from runfolio.store.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runfolio.query.run import Run
    from runfolio.query.store import Store

FORMATS = ("json", "jsonl", "csv", "parquet", "folder")
_CSV = frozenset({"runs.csv", "points.csv"})
_PARQUET = frozenset(f"{name}.parquet" for name in ("runs", "params", "metrics", "points", "artifacts"))
Watch = Callable[[list["Run"]], Iterable["Run"]]


def export(
    store: Store, runs: Sequence[Run], format: str, path: str, *, force: bool = False, watch: Watch = iter
) -> list[Lacking]:
    """Export runs to a path; return what of them could not be had.

    Args:
        format: json, jsonl: a file. csv: a folder with runs.csv and points.csv, or, where the path ends in .csv, a file of the points. parquet: a
            folder with the five tables, or, where it ends in .parquet, a file of the points. folder: everything.
        force: replace an export that is there.
        watch: goes through the runs, showing how far it has come.

    Raises:
        UsageError: something is there. OSError: it cannot be written.
    """
    if format not in FORMATS:
        raise UsageError(f"no format {format!r}; there are {', '.join(FORMATS)}")
    if format in ("json", "jsonl") or path.endswith((".csv", ".parquet")):
        with placed_file(path, force) as draft:
            _write_file(store, runs, format, draft, watch)
        return []
    ours = {"csv": _CSV, "parquet": _PARQUET, "folder": folder.OURS}[format]
    with placed_folder(path, force, ours) as draft:
        if format == "folder":
            return folder.write_folder(draft, Layout(store.path), runs, store.parts(runs), watch)
        if format == "parquet":
            parquet_files.write_tables(draft, runs, store.parts(watch(list(runs))))
        else:
            with _text(f"{draft}/runs.csv") as file:
                spreadsheets.write_runs(file, Runs(runs))
            with _text(f"{draft}/points.csv") as file:
                spreadsheets.write_points(file, store.parts(watch(list(runs))))
    return []


def write_text(store: Store, runs: Sequence[Run], format: str, file: TextIO, watch: Watch = iter) -> None:
    """Write runs as one text: json, jsonl, or the points as csv.

    Raises:
        UsageError: the format is several files, or no text.
    """
    if format == "csv":
        return spreadsheets.write_points(file, store.parts(watch(list(runs))))
    if format not in ("json", "jsonl"):
        raise UsageError(f"{format} is no text: name a folder")
    write = objects.write_document if format == "json" else objects.write_lines
    write(file, watch(list(runs)), lambda run: store.parts([run]))


def _write_file(store: Store, runs: Sequence[Run], format: str, path: str, watch: Watch) -> None:
    if format == "parquet":
        return parquet_files.write_points(path, store.parts(watch(list(runs))))
    with _text(path) as file:
        write_text(store, runs, format, file, watch)


@contextmanager
def _text(path: str) -> Iterator[TextIO]:
    with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        yield file
