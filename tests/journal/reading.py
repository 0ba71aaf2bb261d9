"""Read journals back for the tests: points and events in order, by the scan; and hold the columns to the same."""

from __future__ import annotations

import os
from struct import pack, unpack, unpack_from
from typing import Any, NamedTuple

import numpy as np

from runfolio.journal import frame, scan
from runfolio.journal.columns import JournalColumns
from runfolio.journal.writer import Writer
from runfolio.testing.events import Told


class Point(NamedTuple):
    """One value as a journal holds it."""

    seq: int
    metric: str
    step: int | None
    bits: int
    kind: str
    time_ns: int


def scan_file(path: str) -> scan.Scan:
    """Scan a journal file."""
    with open(path, "rb") as file:
        return scan.scan(file.read(), os.path.basename(path)[: -len(frame.SUFFIX)])


def journals_in(*folders: Any) -> list[str]:
    """Give the journal files below these folders."""
    found = []
    for folder in folders:
        for path, _, names in os.walk(folder):
            found += [os.path.join(path, name) for name in names if name.endswith(frame.SUFFIX)]
    return sorted(found)


def points_of(found: scan.Scan) -> list[Point]:
    """Give the points that a scan found, in their order."""
    return [
        Point(row.seq, key, row.step, bits, kind, row.time_ns)
        for row in scan.rows(found)
        for key, bits, kind in zip(
            row.columns.keys, unpack(f"<{len(row.raw) // 8}Q", row.raw), row.columns.kinds, strict=True
        )
    ]


def points_by_columns(journal: JournalColumns) -> list[Point]:
    """Give the points that the columns hold, in the order of the journal."""
    found: list[tuple[int, int, Point]] = []
    for segment in journal.segments:
        keys, kinds, final = segment.columns.keys, segment.columns.kinds, segment.columns.final
        bits = np.ascontiguousarray(segment.frames["values"]).view(np.uint64)
        rows = zip(segment.seq.tolist(), segment.steps.tolist(), segment.times_ns.tolist(), bits.tolist(), strict=True)
        for seq, step, time_ns, values in rows:
            found += [
                (seq, place, Point(seq, key, None if final else step, value, kind, time_ns))
                for place, (key, value, kind) in enumerate(zip(keys, values, kinds, strict=True))
            ]
    return [point for _, _, point in sorted(found)]


def assert_agree(journal: JournalColumns, found: scan.Scan) -> None:
    """Fail where the columns and the scan do not say the same about a file."""
    assert points_by_columns(journal) == points_of(found)
    assert [(e.seq, e.body, e.time_ns) for e in journal.events] == [
        (g.seq, b, g.time_ns) for g, b in scan.events(found)
    ]
    assert (journal.end, journal.synced, journal.closed) == (found.end, found.synced, found.closed)
    assert journal.damage == found.damage
    assert journal.opening == scan.opening(found)


def bits_of_float(value: float) -> int:
    """Give the bits of a float64."""
    (bits,) = unpack("<Q", pack("<d", value))
    return int(bits)


def float_of(bits: int) -> float:
    """Give the float64 of these bits."""
    (value,) = unpack_from("<d", bits.to_bytes(8, "little"))
    return float(value)


def told_by(writer: Writer) -> Told:
    """Give what a writer's journals hold, in the order they were opened."""
    points: list[tuple[str, int | None, float, str]] = []
    events: list[dict[str, Any]] = []
    if writer.path is not None:
        for journal_id in writer.journals:
            path = os.path.join(os.path.dirname(writer.path), journal_id + frame.SUFFIX)
            found = scan_file(path)
            assert_agree(_read(path), found)
            points += [(p.metric, p.step, float_of(p.bits), p.kind) for p in points_of(found)]
            events += [body for _, body in scan.events(found)]
    return Told(points, events)


def _read(path: str) -> JournalColumns:
    journal = JournalColumns(path)
    journal.refresh()
    return journal
