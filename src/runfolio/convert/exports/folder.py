"""Runs as one folder with everything: their journals, artifacts and output byte for byte, and tables that others can read.

The folders in `runs/` have the form of a store's (docs/formats/run.md), so a run comes back from here as it was.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from runfolio._version import __version__
from runfolio.convert.exports import parquet_files, spreadsheets
from runfolio.convert.exports.objects import about
from runfolio.errors import NotFound, Unreadable
from runfolio.journal.columns import JournalColumns
from runfolio.model.ids import is_id
from runfolio.model.names import printable
from runfolio.model.strict_json import dumps_view
from runfolio.query.runs import Runs
from runfolio.query.unpack import places
from runfolio.store import spool
from runfolio.store.blobs import open_blob
from runfolio.store.layout import Layout
from runfolio.store.run_files import journal_files
from runfolio.store.seal import has_ended

if TYPE_CHECKING:
    from runfolio.query.points import Part
    from runfolio.query.run import Run

SUMS = "SHA256SUMS"
RUNS = "runs"
_TABLES = ("runs", "params", "metrics", "points", "artifacts")
OURS = frozenset({SUMS, RUNS, "README.txt", "runs.csv", *(f"{name}.parquet" for name in _TABLES)})
_CHUNK = 1 << 20


class Lacking(NamedTuple):
    """What could not be exported, as its bytes are gone or damaged."""

    run_id: str
    what: str
    reason: str


def write_folder(
    folder: str,
    layout: Layout,
    runs: Iterable[Run],
    points: Iterable[Part],
    watch: Callable[[list[Run]], Iterable[Run]],
) -> list[Lacking]:
    """Write runs into an empty folder; return what of them could not be had."""
    runs = list(runs)
    lacking: list[Lacking] = []
    for run in watch(runs):
        lacking += write_run(os.path.join(folder, RUNS, run.id), layout, run)
    with open(os.path.join(folder, "runs.csv"), "w", encoding="utf-8", newline="") as file:
        spreadsheets.write_runs(file, Runs(runs))
    parquet_files.write_tables(folder, runs, points)
    with open(os.path.join(folder, "README.txt"), "w", encoding="utf-8") as file:
        file.write(_README.format(version=__version__, count=len(runs)))
    _write_sums(folder)
    return lacking


def write_run(target: str, layout: Layout, run: Run) -> list[Lacking]:
    """Write one run: as it lies in the store, `about.json` for people, and the latest of each artifact under its own name."""
    copy_run(target, layout, run.id)
    with open(os.path.join(target, "about.json"), "w", encoding="utf-8") as file:
        file.write(dumps_view(about(run), indent=1) + "\n")
    lacking = []
    artifacts = run.artifacts
    for digest in dict.fromkeys(one.sha256 for one in artifacts):
        try:
            _copy_content(layout, run.id, digest, os.path.join(target, "artifacts", digest))
        except (NotFound, Unreadable, OSError) as trouble:
            name = next(one.name for one in artifacts if one.sha256 == digest)
            lacking.append(Lacking(run.id, f"artifact {printable(name, 60)}", str(trouble)))
    for one, place in places({one.name: one for one in artifacts}.values()):
        _name(os.path.join(target, "artifacts", one.sha256), os.path.join(target, "files", place))
    return lacking


def copy_run(target: str, layout: Layout, run_id: str) -> None:
    """Copy the journals of a run, wherever they lie, its output and its seal."""
    journals = os.path.join(target, "journal")
    os.makedirs(journals)
    for path in journals_of(layout, run_id):
        copy_journal(path, os.path.join(journals, os.path.basename(path)))
    for source in (layout.output(run_id), layout.parquet(run_id), layout.run_json(run_id)):
        if is_file(source):
            copy_file(source, os.path.join(target, os.path.basename(source)))


def journals_of(layout: Layout, run_id: str) -> list[str]:
    """Give the journals of a run, at home and in the spool; of one that is in both, the longer."""
    found: dict[str, str] = {}
    for folder in (layout.run_journal(run_id), *spool.journals_of(layout.root, run_id)):
        for path in journal_files(folder):
            other = found.setdefault(os.path.basename(path), path)
            if os.path.getsize(path) > os.path.getsize(other):
                found[os.path.basename(path)] = path
    return sorted(found.values())


def copy_journal(source: str, target: str) -> None:
    """Copy a journal: as it is where nothing more can come, else up to the last whole frame. One without any is left out: it has just begun."""
    journal = JournalColumns(source)
    try:
        journal.refresh()
        if not journal.opening and _is_blank(source, journal.end):
            return
        size = journal.end if journal.opening and not has_ended(journal) else None
    except (Unreadable, ValueError):
        size = None  # whatever it is: byte for byte
    copy_file(source, target, size)


def _is_blank(path: str, start: int) -> bool:
    with open(path, "rb") as file:
        file.seek(start)
        return not any(any(chunk) for chunk in iter(lambda: file.read(_CHUNK), b""))


def copy_file(source: str, target: str, size: int | None = None) -> str:
    """Copy a regular file, or so many bytes of it; return the hash of the copy."""
    digest, left = sha256(), size
    fd = os.open(source, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with open(fd, "rb", buffering=0) as file, open(target, "xb") as copy:
        while left != 0 and (chunk := file.read(_CHUNK if left is None else min(_CHUNK, left))):
            digest.update(chunk)
            copy.write(chunk)
            left = None if left is None else left - len(chunk)
    return digest.hexdigest()


def is_file(path: str) -> bool:
    """Say whether this is a regular file, and no link to one."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _copy_content(layout: Layout, run_id: str, digest: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    found = sha256()
    with open_blob(layout, run_id, digest) as source, open(target, "xb") as copy:
        while chunk := source.read(_CHUNK):
            found.update(chunk)
            copy.write(chunk)
    if found.hexdigest() != digest:
        os.unlink(target)
        raise Unreadable("its bytes are damaged; runfolio verify says more")


def _name(content: str, path: str) -> None:
    """Give a content its name: a hard link, a copy where there are none."""
    if not is_file(content):
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        os.link(content, path)
    except OSError:
        shutil.copyfile(content, path)


# -------------------------------------------------------------------------------------------------------------- sums


def _write_sums(folder: str) -> None:
    """Write the hash of every file, as sha256sum does."""
    with open(os.path.join(folder, SUMS), "w", encoding="utf-8", newline="\n") as sums:
        for path in sorted(_files(folder)):
            if path != SUMS:
                sums.write(f"{hash_file(os.path.join(folder, path))}  {path.replace(os.sep, '/')}\n")


def _files(folder: str) -> Iterator[str]:
    for above, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(above, name), folder)


def hash_file(path: str) -> str:
    with open(path, "rb") as file:
        digest = sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_sums(folder: str) -> dict[str, str] | None:
    """Read the hashes of an export, by path; None where it has none.

    Raises:
        Unreadable: the file is no list of hashes.
    """
    path = os.path.join(folder, SUMS)
    if not is_file(path):
        return None
    found: dict[str, str] = {}
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            digest, _, name = line.rstrip("\n").partition("  ")
            if not (is_id(digest[:32]) and is_id(digest[32:]) and name):
                raise Unreadable(f"{SUMS} is damaged: {path}")
            found[name] = digest
    return found


_README = """\
An export of runfolio {version}: {count} runs, complete.

runs.csv            a row for each run: params, the last value of each metric, summary
runs.parquet        the same runs as tables that DuckDB, pandas, polars and others read;
params.parquet      the column `run` joins them:
metrics.parquet       duckdb -c "select name, step, value from 'points.parquet' where metric = 'loss'"
points.parquet        pandas.read_parquet("points.parquet")
artifacts.parquet   Times are UTC. NaN is a value; null is what is missing.

runs/<run id>/
  about.json        everything that is known of the run besides its points
  files/            the latest version of each artifact, under its own name
  artifacts/        the contents of all versions, named by their SHA-256
  output.log        what the script printed, where it was kept
  journal/          the run itself: every number and event, as they were written
  run.json, metrics.parquet   the same in other forms, where the run was sealed

SHA256SUMS          check everything: sha256sum -c SHA256SUMS

Back into a store, bit for bit: runfolio import runfolio FOLDER
"""
