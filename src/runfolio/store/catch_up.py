"""Catch up with a live run from where the index left it: read only what is new, and leave numpy alone.

What it cannot follow, it leaves to a whole reading: an event, a final point, a step that does not rise, damage, a megabyte at once.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from runfolio.errors import Unreadable
from runfolio.journal import frame, scan
from runfolio.journal.files import read_at
from runfolio.journal.frame import KeySet
from runfolio.store.summary import Summary

if TYPE_CHECKING:
    from runfolio.journal.columns import JournalColumns
    from runfolio.store.watch import Watched

BYTES_MAX = 1 << 20
_KEYS_MAX = 1000
_QUIET = frozenset((frame.BLOCK, frame.SYNC, frame.BEAT))

Key = tuple[str, int | None]
Summaries = dict[Key, Summary]
_Point = tuple[int, float, str]


class Mark(NamedTuple):
    """What must be known to read on from the end of a journal."""

    ino: int
    seq: int
    rank: int | None
    sets: list[KeySet]


def mark_of(journal: JournalColumns, rank: int | None) -> Mark | None:
    """Mark the end of a journal; None where it has too many metrics, or damage."""
    sets = {segment.columns.tag: segment.columns._replace(first=b"") for segment in journal.segments}
    if journal.damage or journal.header_damaged or sum(len(columns.keys) for columns in sets.values()) > _KEYS_MAX:
        return None
    try:
        return Mark(os.stat(journal.path).st_ino, journal.seq, rank, list(sets.values()))
    except OSError:
        return None


class Caught(NamedTuple):
    """Where a journal ends now."""

    end: int
    last_ns: int
    closed: bool
    mark: Mark


class _Lost(Exception):
    """The way on cannot be followed."""


def catch_up(watched: Watched, summaries: Summaries) -> Caught | None:
    """Read what is new in a journal into `summaries`; None, and `summaries` half done, where it must be read as a whole."""
    mark = watched.mark
    if mark is None:
        return None
    try:
        with open(watched.path, "rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_ino != mark.ino:
                return None
            data = read_at(file.fileno(), BYTES_MAX + 1, watched.end)
        return _Reader(watched, mark, data).read(summaries) if len(data.rstrip(b"\0")) <= BYTES_MAX else None
    except (_Lost, OSError, Unreadable):
        return None


class _Reader:
    """Goes through the new bytes of a journal, frame by frame."""

    def __init__(self, watched: Watched, mark: Mark, data: bytes) -> None:
        self.data, self.base, self.mark = memoryview(data), watched.end, mark
        self.seed = frame.seed_of(os.path.basename(watched.path)[: -len(frame.SUFFIX)])
        self.sets = {columns.tag: columns for columns in mark.sets}
        self.sizes = {columns.tag: columns.frame_bytes for columns in mark.sets}
        self.seq, self.last_ns, self.closed = mark.seq, watched.last_ns, False
        self.points: dict[str, list[_Point]] = {}

    def read(self, summaries: Summaries) -> Caught:
        at = 0
        while not self.closed and at + frame.METRIC_SIZE <= len(self.data) and any(self.data[at : at + 8]):
            good = scan.frame_at(self.data, at, self.seed, self.sizes, self.base)
            if good is None or good.seq != (self.seq + 1) & 0xFFFF:
                raise _Lost
            self.seq += 1
            self._take(good)
            at += good.size
        rank = self.mark.rank
        for name, points in self.points.items():
            summaries[name, rank] = _carried(summaries.get((name, rank)), points, rank)
        mark = self.mark._replace(seq=self.seq, sets=list(self.sets.values()))
        return Caught(self.base + at, self.last_ns, self.closed, mark)

    def _take(self, good: scan.Frame) -> None:
        if good.tag <= frame.TAG_MAX:
            columns = self.sets[good.tag]
            step, ticks, *values = Struct(f"<iI{len(columns.keys)}d").unpack(good.payload)
            self.last_ns = max(self.last_ns, columns.time_base_ns + (ticks << frame.TICK_BITS))
            return self._add(columns, columns.step_base + step, values)
        self.last_ns = max(self.last_ns, good.time_ns or 0)
        if good.tag == frame.KEYS:
            self._declare(scan.key_set(good.payload))
        elif good.tag == frame.CLOSE:
            self.closed = True
        elif good.tag not in _QUIET:
            raise _Lost

    def _declare(self, columns: KeySet | None) -> None:
        if columns is None:
            raise _Lost
        self.sets[columns.tag] = columns._replace(first=b"")
        self.sizes[columns.tag] = columns.frame_bytes
        if columns.first:
            self._add(columns, columns.step_base, Struct(f"<{len(columns.keys)}d").unpack(columns.first))

    def _add(self, columns: KeySet, step: int, values: Sequence[float]) -> None:
        if columns.final:
            raise _Lost
        for name, value, kind in zip(columns.keys, values, columns.kinds, strict=True):
            self.points.setdefault(name, []).append((step, value, kind))


def _carried(before: Summary | None, points: list[_Point], rank: int | None) -> Summary:
    """Carry a summary on, as `summing` does with arrays."""
    was = before or _empty(*points[0], rank)
    last_step, total, nan_count, kind = was.last_step, was.total, was.nan_count, was.kind
    low, high = (was.min, was.kinds[2], was.min_step), (was.max, was.kinds[3], was.max_step)
    if before is not None and last_step is None:
        raise _Lost
    for step, value, of in points:
        if last_step is not None and step <= last_step:
            raise _Lost
        last_step = step
        kind = kind if kind == of else "f"
        if value != value:
            nan_count += 1
            continue
        total += value
        low = low if low[0] <= value else (value, of, step)
        high = high if high[0] >= value else (value, of, step)
    count = was.count + len(points) - (nan_count - was.nan_count)
    kinds = was.kinds[0] + points[-1][2] + low[1] + high[1] + kind
    return Summary(
        rank, was.first, points[-1][1], low[0], high[0], total, count, nan_count, was.first_step, last_step, low[2], high[2], kinds
    )  # fmt: skip


def _empty(step: int, value: float, kind: str, rank: int | None) -> Summary:
    nan = math.nan
    return Summary(rank, value, nan, nan, nan, 0.0, 0, 0, step, None, None, None, kind * 2 + "ff" + kind)
