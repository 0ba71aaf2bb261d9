"""Journals to be damaged: of every sort of frame, and what each of their bytes says."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

from journal.reading import Point, assert_agree, points_of
from journal.writing import make_writer
from runfolio.journal import scan
from runfolio.journal.columns import JournalColumns
from runfolio.journal.writer import FINAL


class Journal(NamedTuple):
    """An undamaged journal."""

    name: str  # its id
    data: bytes
    scan: scan.Scan
    points: list[Point]


def make_journal(folder: Path, size_bytes: int, close: bool = True) -> Journal:
    """Write a journal of about so many bytes, with every sort of frame in it."""
    folder.mkdir(exist_ok=True)
    writer = make_writer(folder, mapped=False)
    step = 0
    while writer.path is None or os.path.getsize(writer.path) < size_bytes - 600:
        log_of_every_sort(writer, step)
        step += 1
    if close:
        writer.close()
    path = Path(str(writer.path))
    data = path.read_bytes()
    found = scan.scan(data, path.stem)
    assert (found.damage, found.torn, found.closed) == ([], 0, close)
    return Journal(path.stem, data, found, points_of(found))


def log_of_every_sort(writer: Any, step: int) -> None:
    """Log as step `step` of a script does: mostly the same metrics, sometimes others, an event, a sync."""
    writer.log({"loss": 1.0 / (step + 1), "acc": step / 1000}, step)
    if step % 3 == 0:
        writer.log({"n": step, "on": step % 2 == 0, "odd": math.nan}, step)
    if step % 10 == 0:
        writer.log({f"eval/{step % 70}": float(step)}, step)
    if step % 25 == 0:
        writer.event({"type": "notes", "text": f"at {step}: " + "x" * (step % 40)})
    if step % 40 == 0:
        writer.log({"best": float(step)}, FINAL)
        writer.sync()
        writer.beat()


def read_both(folder: Path, name: str, data: bytes) -> scan.Scan:
    """Read these bytes by both readers, which must agree."""
    path = folder / f"{name}.jnl"
    path.write_bytes(data)
    found = scan.scan(data, name)
    columns = JournalColumns(str(path))
    columns.refresh()
    assert_agree(columns, found)
    return found
