"""Decode a journal into columns with numpy, following it as it grows.

Blocks whose checksum is right are cut into strided views without a look at single frames; the frames behind the last block are checked one by one.
Where something is wrong, `scan` decides. Memory: the bytes of the metric frames, once; of a damaged journal all its bytes, up to `DAMAGED_MAX`.
"""

from __future__ import annotations

import os
from errno import ENXIO
from functools import cache
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import Unreadable
from runfolio.journal import frame, scan
from runfolio.journal.files import read_at, read_into
from runfolio.journal.frame import KeySet
from runfolio.model.events import Event

_PIECE, _PIECE_MAX = 1 << 20, 1 << 24
_WINDOW = 1 << 26
DAMAGED_MAX = 1 << 32
"""A damaged journal is read as a whole; a longer one is not."""
_SHORT_RUN, _LONG_RUN = 24, 4096
_TAGS_AT_ONCE = 1 << 20
_ZEROS = bytes(1 << 16)
_FRAME_END = 1 << 12  # zeros that a frame may well end in


class Segment(NamedTuple):
    """Metric frames of one key set that stand in order."""

    columns: KeySet
    seq: NDArray[np.int64]
    frames: NDArray[np.void]

    @property
    def steps(self) -> NDArray[np.int64]:
        return self.frames["step"].astype(np.int64) + self.columns.step_base

    @property
    def times_ns(self) -> NDArray[np.int64]:
        return (self.frames["time"].astype(np.int64) << frame.TICK_BITS) + self.columns.time_base_ns


class Column(NamedTuple):
    """The points of one metric in one journal, in the order they were written."""

    steps: NDArray[np.int64]
    final: NDArray[np.bool_]
    values: NDArray[np.float64]
    kinds: NDArray[np.uint8]  # ord of 'f', 'i', 'b'
    times_ns: NDArray[np.int64]
    seq: NDArray[np.int64]


class JournalColumns:
    """One journal file, decoded as far as it was written at the last `refresh`.

    Contract: not for several threads at once. `refresh` reads only what is new, unless the file was replaced or is damaged.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.journal_id = os.path.basename(path)[: -len(frame.SUFFIX)]
        self._forget()

    def _forget(self) -> None:
        self.opening: dict[str, Any] = {}
        self.events: list[Event] = []
        self.segments: list[Segment] = []
        self.damage: list[scan.Damage] = []
        self.header_damaged = False
        self.closed = False
        self.end = frame.HEADER_SIZE
        self.synced = 0
        self.seq = -1
        self.last_time_ns = 0
        self._sets: dict[int, KeySet] = {}
        self._seed = 0
        self._at_block_start = True
        self._size_seen = -1
        self._ino = -1
        self._careful = False

    @property
    def attempt(self) -> int:
        number = self.opening.get("attempt")
        return number if isinstance(number, int) else 1

    @property
    def rank(self) -> int | None:
        number = self.opening.get("rank")
        return number if isinstance(number, int) and not isinstance(number, bool) else None

    @property
    def role(self) -> str:
        return str(self.opening.get("role", ""))

    # ---------------------------------------------------------------- reading

    def refresh(self) -> bool:
        """Decode what is new; True where there was something.

        Raises:
            Unreadable: the file is of a newer format, or cannot be read.
        """
        if self.closed and not self._replaced():
            return False
        try:
            with open(self.path, "rb", buffering=0) as file:
                return self._refresh(file.fileno())
        except FileNotFoundError as gone:
            raise Unreadable(f"journal {self.journal_id} is gone: {self.path}") from gone
        except OSError as trouble:
            raise Unreadable(f"journal {self.journal_id} cannot be read: {trouble.strerror}: {self.path}") from trouble
        except MemoryError as trouble:
            self._forget()
            raise Unreadable(f"journal {self.journal_id} does not fit into memory: {self.path}") from trouble

    def _replaced(self) -> bool:
        try:
            found = os.stat(self.path)
        except OSError:
            return True
        return found.st_ino != self._ino or found.st_size < self.end

    def _refresh(self, fd: int) -> bool:
        found = os.fstat(fd)
        if found.st_ino != self._ino or found.st_size < self.end:
            self._forget()
            self._ino = found.st_ino
        if self._careful:
            return self._reread(fd)
        before = self.end
        if self.seq < 0 and not self._begin(fd):
            return self._reread(fd)
        whole = limit = _end_of_data(fd, self.end, found.st_size)
        zeros = self.end  # from here on; a later read trusts what the first has seen of the space reserved ahead
        if self.seq < 0:
            zeros = _end_of_zeros(fd, self.end, whole)
            limit = min(whole, zeros + _FRAME_END)
        piece = _PIECE
        while not self.closed:
            at, have = self.end, len(self.segments)
            data = _read(fd, at, max(0, min(piece, limit - at)))
            more = at + len(data) < limit
            _Walk(self, data, at, whole=more and piece < _PIECE_MAX).run()
            rest, begins = at + len(data) - self.end, data[self.end - at : self.end - at + frame.CONTROL_SIZE]
            if 4 * rest > len(data):
                self._unshare(have)  # or a few frames would keep all these bytes
            if self.closed or not (rest or more):
                break
            if rest and not any(begins[:8]) and self.end >= zeros:
                break  # space reserved ahead, by a writer that lives or has trimmed nothing
            told = 0 if more else _told_bytes(begins, self._sets)
            if limit < self.end + told <= whole:
                limit = self.end + told  # it ends in many zeros
                continue
            if more and self.end > at:
                continue
            if more:  # a block or a frame that is longer than the piece
                needed = max(min(_PIECE_MAX, limit - at), _told_bytes(begins, self._sets))
                if piece < needed <= limit - at:
                    piece = needed
                    continue
            if self._damaged(fd, whole):
                return self._reread(fd)
            break
        return self.end > before

    def _begin(self, fd: int) -> bool:
        """Read the header; False where it is damaged and something follows it."""
        head = read_at(fd, frame.HEADER_SIZE, 0)
        found_id = frame.parse_header(head)
        self.header_damaged = found_id is None
        self._seed = frame.seed_of(found_id or self.journal_id)
        return found_id is not None or os.fstat(fd).st_size <= frame.HEADER_SIZE

    def _damaged(self, fd: int, limit: int) -> bool:
        """Say whether good frames stand behind `end`, where none is."""
        sizes = {tag: columns.frame_bytes for tag, columns in self._sets.items()}
        at = self.end
        data = _read(fd, at, min(limit - at, _WINDOW))
        if self._frame_here(data, sizes):
            return False  # it was being written when we looked, and is whole by now
        while not self._has_frame(data, at, sizes):
            if at + len(data) >= limit or not data:
                return False
            at += _WINDOW // 2  # a frame that the window cut stands whole in the next
            at = max(at, _next_data(fd, at) & ~7)
            data = _read(fd, at, max(0, min(limit - at, _WINDOW)))
        return True

    def _has_frame(self, data: bytes, base: int, sizes: dict[int, int]) -> bool:
        view = memoryview(data)
        tags = np.frombuffer(data, "<u2", len(data) // 8 * 4)[2::4]
        for first in range(0, len(tags), _TAGS_AT_ONCE):
            for place in np.flatnonzero(tags[first : first + _TAGS_AT_ONCE]).tolist():
                at = 8 * (first + place)
                if at + frame.METRIC_SIZE <= len(data) and scan.frame_at(view, at, self._seed, sizes, base) is not None:
                    return True
        return False

    def _frame_here(self, data: bytes, sizes: dict[int, int]) -> bool:
        if len(data) < frame.METRIC_SIZE:
            return True
        return scan.frame_at(memoryview(data), 0, self._seed, sizes, self.end) is not None

    def _reread(self, fd: int) -> bool:
        """Read the whole file by `scan`."""
        ino, before = self._ino, self.end
        self._forget()
        self._ino, self._careful = ino, True
        limit = _end_of_data(fd, 0, os.fstat(fd).st_size)
        if limit > DAMAGED_MAX:
            raise Unreadable(
                f"journal {self.journal_id} is damaged, and too long to look for what is left: {self.path}"
            )
        data = _read(fd, 0, limit)
        found = scan.scan(data, self.journal_id)
        self._seed = frame.seed_of(found.journal_id)
        self.header_damaged = found.header_damaged
        self.damage = found.damage
        self._sets = scan.key_sets(found)
        groups: dict[int, list[scan.Frame]] = {}
        for good in found.frames:
            if good.tag <= frame.TAG_MAX:
                groups.setdefault(good.tag, []).append(good)
            else:
                self._control(good)
        for tag, frames in groups.items():
            offsets = np.array([good.offset for good in frames], np.int64)
            self._add_segment(data, tag, offsets, np.array([good.seq for good in frames], np.int64))
        self.seq = found.frames[-1].seq if found.frames else 0
        self.end, self.synced, self.closed = found.end, found.synced, found.closed
        return self.end != before

    # ---------------------------------------------------------------- what the walk finds

    def _control(self, good: scan.Frame) -> None:
        """Take in a control frame that is known to be good, with its whole sequence number."""
        self.last_time_ns = max(self.last_time_ns, good.time_ns or 0)
        if good.tag == frame.EVENT:
            body = scan.json_object(good.payload)
            if body:
                event = Event(body, good.time_ns or 0, self.attempt, self.journal_id, good.seq, self.rank, self.role)
                self.events.append(event)
        elif good.tag == frame.KEYS:
            self._first_point(good)
        elif good.tag == frame.SYNC:
            self.synced = max(self.synced, scan.synced_to(good.payload))
        elif good.tag == frame.OPEN:
            self.opening = scan.json_object(good.payload)
        elif good.tag == frame.CLOSE:
            self.closed = True
            self.synced = good.offset + good.size

    def _learn(self, payload: bytes) -> None:
        declared = scan.key_set(payload)
        if declared is not None:
            self._sets[declared.tag] = declared

    def _first_point(self, good: scan.Frame) -> None:
        """Keep the point that came with a declaration."""
        columns = scan.key_set(good.payload)
        if columns is None or not columns.first:
            return
        row = np.zeros(1, _dtype(len(columns.keys)))
        row["values"] = np.frombuffer(columns.first, "<f8")
        self.segments.append(Segment(columns, np.array([good.seq], np.int64), row))

    def _add_view(self, data: bytes, tag: int, first: int, seq: NDArray[np.int64]) -> None:
        """Keep frames that follow each other as a view on `data`."""
        columns = self._sets[tag]
        self.segments.append(Segment(columns, seq, np.frombuffer(data, _dtype(len(columns.keys)), len(seq), first)))

    def _unshare(self, since: int) -> None:
        """Copy the segments from `since` on out of the bytes they are views on."""
        self.segments[since:] = [s._replace(frames=s.frames.copy()) for s in self.segments[since:]]

    def _add_segment(self, data: bytes, tag: int, offsets: NDArray[np.int64], seq: NDArray[np.int64]) -> None:
        """Keep the frames of one key set at these offsets of `data`."""
        columns = self._sets[tag]
        words = columns.frame_bytes // 8
        raw = np.frombuffer(data, np.uint64, len(data) // 8)
        cut = raw[(offsets // 8)[:, None] + np.arange(words)]
        self.segments.append(Segment(columns, seq, cut.view(_dtype(len(columns.keys))).reshape(-1)))

    # ---------------------------------------------------------------- columns

    def metrics(self) -> dict[str, None]:
        """Give the names of all metrics, in the order first declared."""
        return {key: None for segment in self.segments for key in segment.columns.keys}

    def column(self, key: str, since: int = 0) -> Column | None:
        """Give the points of a metric, from the segment `since` on; None where there are none."""
        found = [(s, s.columns.keys.index(key)) for s in self.segments[since:] if key in s.columns.keys]
        if not found:
            return None
        lengths = [len(s.seq) for s, _ in found]
        column = Column(
            _join([s.steps for s, _ in found]),
            np.repeat(np.array([s.columns.final for s, _ in found]), lengths),
            _join([s.frames["values"][:, i] for s, i in found]),
            np.repeat(np.array([ord(s.columns.kinds[i]) for s, i in found], np.uint8), lengths),
            _join([s.times_ns for s, _ in found]),
            _join([s.seq for s, _ in found]),
        )
        if (column.seq[1:] > column.seq[:-1]).all():
            return column
        order = np.argsort(column.seq, kind="stable")  # several key sets that alternate
        steps, final, values, kinds, times_ns, seq = (part[order] for part in column)
        return Column(steps, final, values, kinds, times_ns, seq)  # type: ignore[arg-type]


class _Walk:
    """Cut bytes into frames, block by block, and hand them to the journal's columns."""

    def __init__(self, journal: JournalColumns, data: bytes, base: int, whole: bool = False) -> None:
        """Begin at a frame; with `whole`, a block that is cut off is left to be read again: its checksum is worth it."""
        self.journal = journal
        self.data = data
        self.base = base
        self.whole = whole
        self.view = memoryview(data)
        self.halves = memoryview(data[: len(data) // 2 * 2]).cast("H")
        self.sizes = {tag: columns.frame_bytes for tag, columns in journal._sets.items()}

    def run(self) -> None:
        while not self.journal.closed and self._block():
            pass

    def _block(self) -> bool:
        """Take in the frames up to the next block frame, or to the end; True where there may be more."""
        journal = self.journal
        start = journal.end
        at, seq = start - self.base, journal.seq
        trusted = journal._at_block_start
        runs: list[tuple[int, int, int, int]] = []  # tag, first offset, count, first seq
        controls: list[scan.Frame] = []
        learned: list[bytes] = []
        limit = len(self.data) - frame.METRIC_SIZE
        block = ends = False
        while at <= limit:
            tag = self.halves[(at >> 1) + 2]
            if tag == 0:
                ends = True
                break
            if tag <= frame.TAG_MAX:
                size = self.sizes.get(tag)
                if size is None or at + size > len(self.data):
                    break
                count = self._run(at, tag, size)
                runs.append((tag, at, count, seq + 1))
                seq += count
                at += size * count
                continue
            good = self._control_at(at, seq + 1)
            if good is None:
                break
            controls.append(good)
            seq += 1
            at += good.size
            if good.tag == frame.KEYS:
                learned.append(good.payload)
                declared = scan.key_set(good.payload)
                if declared is not None:
                    self.sizes.setdefault(declared.tag, declared.frame_bytes)
            elif good.tag == frame.BLOCK:
                block = True
                break
            elif good.tag == frame.CLOSE:
                ends = True
                break
        if (not runs and not controls) or (self.whole and not block and not ends):
            return False
        if not (block and trusted and self._block_is_good(start, controls[-1])):
            at, seq, runs, controls, learned = self._one_by_one(start, runs, controls)
            block = (
                bool(controls)
                and controls[-1].tag == frame.BLOCK
                and controls[-1].offset + controls[-1].size == at + self.base
            )
        self._take(runs, controls, learned)
        moved = at + self.base > start
        journal.end, journal.seq = at + self.base, seq
        journal._at_block_start = block or (journal._at_block_start and not moved)
        return block and moved

    def _run(self, at: int, tag: int, size: int) -> int:
        """Count the frames of this key set that follow each other without another between."""
        halves, step = self.halves, size >> 1
        most = (len(self.data) - at) // size
        place = (at >> 1) + 2
        for count in range(1, min(most, _SHORT_RUN)):  # key sets that alternate are common: no array for a few frames
            place += step
            if halves[place] != tag:
                return count
        if most <= _SHORT_RUN:
            return most
        tags = np.ndarray((min(most, _LONG_RUN),), np.dtype("<u2"), self.data, at + 4, (size,))
        other = np.flatnonzero(tags != tag)
        return int(other[0]) if len(other) else len(tags)

    def _control_at(self, at: int, seq: int) -> scan.Frame | None:
        if at + frame.CONTROL_SIZE > len(self.data):
            return None
        _, tag, low, length, _, time_ns = frame.CONTROL_HEAD.unpack_from(self.data, at)
        size = frame.control_bytes(length)
        if length > frame.PAYLOAD_MAX or at + size > len(self.data) or low != seq & 0xFFFF:
            return None
        payload = self.data[at + frame.CONTROL_SIZE : at + frame.CONTROL_SIZE + length]
        return scan.Frame(at + self.base, size, tag, seq, time_ns, payload)

    def _good(self, at: int, size: int) -> bool:
        crc = int.from_bytes(self.view[at : at + 4], "little")
        start = self.journal._seed ^ ((at + self.base) & 0xFFFFFFFF)
        return crc32(self.view[at + 4 : at + size], start) == crc

    def _block_is_good(self, start: int, last: scan.Frame) -> bool:
        if len(last.payload) != 24 or not self._good(last.offset - self.base, last.size):
            return False
        told = frame.parse_block(last.payload)
        if told.start != start or told.seq != last.seq:
            return False
        return crc32(self.view[start - self.base : last.offset - self.base]) == told.crc

    def _one_by_one(
        self, start: int, runs: list[tuple[int, int, int, int]], controls: list[scan.Frame]
    ) -> tuple[int, int, list[tuple[int, int, int, int]], list[scan.Frame], list[bytes]]:
        """Keep the frames up to the first whose own crc or number is wrong."""
        at, seq = start - self.base, self.journal.seq
        kept: list[tuple[int, int, int, int]] = []
        good_controls: list[scan.Frame] = []
        learned: list[bytes] = []
        parts: list[tuple[int, Any]] = sorted(
            [(run[1], run) for run in runs] + [(c.offset - self.base, c) for c in controls], key=lambda part: part[0]
        )
        for _, part in parts:
            if isinstance(part, scan.Frame):
                if not self._good(at, part.size):
                    break
                good_controls.append(part)
                if part.tag == frame.KEYS:
                    learned.append(part.payload)
                at += part.size
                seq += 1
                continue
            tag, first, count, first_seq = part
            size = self.sizes[tag]
            good = self._count_good(first, count, size, first_seq)
            if good:
                kept.append((tag, first, good, first_seq))
                at += size * good
                seq += good
            if good < count:
                break
        return at, seq, kept, good_controls, learned

    def _count_good(self, first: int, count: int, size: int, first_seq: int) -> int:
        view, seed, base = (
            self.view,
            self.journal._seed,
            self.base,
        )  # a block's worth of frames behind the last block of a live run
        last = first + (count - 1) * size
        crcs = self.view[: len(self.data) & ~3].cast("I")[first >> 2 : (last >> 2) + 1 : size >> 2].tolist()
        numbers = self.halves[(first >> 1) + 3 : (last >> 1) + 4 : size >> 1].tolist()
        at = first
        for i, (crc, number) in enumerate(zip(crcs, numbers, strict=True)):
            start = seed ^ ((at + base) & 0xFFFFFFFF)
            if number != (first_seq + i) & 0xFFFF or crc32(view[at + 4 : at + size], start) != crc:
                return i
            at += size
        return count

    def _take(self, runs: list[tuple[int, int, int, int]], controls: list[scan.Frame], learned: list[bytes]) -> None:
        journal = self.journal
        for payload in learned:
            journal._learn(payload)
        for good in controls:
            journal._control(good)
        by_tag: dict[int, list[tuple[int, int, int]]] = {}
        for tag, first, count, seq in runs:
            by_tag.setdefault(tag, []).append((first, count, seq))
        for tag, places in by_tag.items():
            size = self.sizes[tag]
            if len(places) == 1:
                (first, count, since) = places[0]
                journal._add_view(self.data, tag, first, np.arange(since, since + count))
                continue
            counts = np.array([count for _, count, _ in places])
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            offsets = np.repeat(np.array([first for first, _, _ in places]), counts) + within * size
            seq = np.repeat(np.array([seq for _, _, seq in places]), counts) + within
            journal._add_segment(self.data, tag, offsets, seq)


def _read(fd: int, at: int, count: int) -> bytes:
    """Read so many bytes, or up to the end of the file; one system call gives 2 GiB at most."""
    data = read_at(fd, count, at)
    if len(data) == count or not data:
        return data
    parts = [data]
    have = len(data)
    while have < count and (data := read_at(fd, count - have, at + have)):
        parts.append(data)
        have += len(data)
    return b"".join(parts)


def _end_of_zeros(fd: int, start: int, end: int) -> int:
    """Give where, between two places of a file, only zeros follow; looks from behind, and into no hole."""
    buffer = bytearray(len(_ZEROS))  # one for all: new memory for each piece would cost more than the reading
    for first, last in reversed(_extents(fd, start, end)):
        while last > first:
            at = max(first, last - len(buffer))
            if last - at < len(buffer):
                buffer = bytearray(last - at)
            count = read_into(fd, buffer, at)
            if (buffer if count == len(buffer) else buffer[:count]) != _ZEROS[:count]:
                return at + len(buffer[:count].rstrip(b"\0"))
            last = at
    return start


def _extents(fd: int, start: int, end: int) -> list[tuple[int, int]]:
    """Give the parts of a file that are no holes."""
    found = []
    at = _next_data(fd, start)
    while at < end:
        hole = min(_next_hole(fd, at, end), end)
        found.append((at, hole))
        at = _next_data(fd, hole) if hole < end else end
    return found


def _told_bytes(data: bytes, sets: dict[int, KeySet]) -> int:
    """Give how long the frame is that begins here, by its own word; 0 where none can."""
    if len(data) < frame.METRIC_SIZE:
        return frame.CONTROL_SIZE
    _, tag, _, length, _ = frame.METRIC_HEAD.unpack_from(data)
    if tag <= frame.TAG_MAX:
        return sets[tag].frame_bytes if tag in sets else 0
    return frame.control_bytes(length) if 0 <= length <= frame.PAYLOAD_MAX else 0


def _next_data(fd: int, at: int) -> int:
    """Skip a hole in a file; where there is nothing but a hole, to its end."""
    try:
        return os.lseek(fd, at, os.SEEK_DATA)
    except OSError as trouble:
        return os.fstat(fd).st_size if trouble.errno == ENXIO else at
    except AttributeError:
        return at


def _next_hole(fd: int, at: int, end: int) -> int:
    try:
        return os.lseek(fd, at, os.SEEK_HOLE)
    except (OSError, AttributeError):
        return end


def _end_of_data(fd: int, start: int, size: int) -> int:
    """Give where the written part of a file ends: behind it lies only space that was reserved."""
    try:
        hole = os.lseek(fd, start, os.SEEK_HOLE)
    except (OSError, AttributeError):
        return size
    try:
        os.lseek(fd, hole, os.SEEK_DATA)
    except OSError:
        return hole
    return size


@cache
def _dtype(count: int) -> np.dtype[np.void]:
    return np.dtype(
        [("crc", "<u4"), ("tag", "<u2"), ("seq", "<u2"), ("step", "<i4"), ("time", "<u4"), ("values", "<f8", (count,))]
    )


def _join(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def read(path: str) -> JournalColumns:
    """Decode a journal as it stands."""
    journal = JournalColumns(path)
    journal.refresh()
    return journal
