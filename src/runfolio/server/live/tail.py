"""Follow the metrics of one journal from where the index left it: only the newest point of each is kept.

Cost: one read of 4 KiB where nothing or little has come; about a microsecond for each call of `log`, whose values are unpacked only where they
are the newest.
What it cannot follow it leaves to the index: an event, a point without a step, damage, a file that is another.
"""

from __future__ import annotations

import os
from struct import Struct

from runfolio.errors import Unreadable
from runfolio.journal import frame, scan
from runfolio.journal.files import read_at
from runfolio.journal.frame import KeySet
from runfolio.query.standing import Newest
from runfolio.store.catch_up import Mark
from runfolio.store.summary import number
from runfolio.store.watch import Watched

_FIRST_BYTES, _MORE_BYTES = 4 << 10, 1 << 20
_PIECES_MAX = 8
_QUIET = frozenset((frame.BLOCK, frame.SYNC, frame.BEAT))


class _Lost(Exception):
    """The way on cannot be followed."""


class Tail:
    """Follows one journal.

    Contract: for one thread.
    """

    def __init__(self, path: str, end: int, mark: Mark) -> None:
        self.rank = mark.rank
        self.end = end
        self.last_ns = 0
        self.step: int | None = None
        """The highest step that has come."""
        self.is_behind = False
        """Whether there was something that the index must look at."""
        self._path, self._ino = path, mark.ino
        self._seed = frame.seed_of(os.path.basename(path)[: -len(frame.SUFFIX)])
        self._sets: dict[int, KeySet] = {}
        self._sizes: dict[int, int] = {}
        self._newest: dict[int, tuple[int, int, int, tuple[float, ...]]] = {}  # by tag: step, place, time, values
        for columns in mark.sets:
            self._declare(columns)

    @classmethod
    def of(cls, watched: Watched) -> Tail | None:
        """Follow a journal that the index watches; None where it has too many metrics, damage or renamed ones."""
        return cls(watched.path, watched.end, watched.mark) if watched.mark is not None else None

    def newest(self, metric: str) -> Newest | None:
        """Give the newest point of a metric among those that have come."""
        found, best = None, (0, -1)
        for tag, (step, place, time_ns, values) in self._newest.items():
            columns = self._sets[tag]
            if metric in columns.keys and (found is None or (step, place) > best):
                at, best = columns.keys.index(metric), (step, place)
                found = Newest(step, number(values[at], columns.kinds[at]), time_ns)
        return found

    def poll(self) -> bool:
        """Take in what has come; True where there were points."""
        moved = False
        try:
            with open(self._path, "rb", buffering=0) as file:
                data, asked = read_at(file.fileno(), _FIRST_BYTES, self.end), _FIRST_BYTES
                if any(data[:8]) and os.fstat(file.fileno()).st_ino != self._ino:
                    raise _Lost
                for _ in range(_PIECES_MAX):
                    before = self.end
                    moved = self._take(data) or moved
                    rest = data[self.end - before :][:8]
                    if self.end == before or len(data) < asked or (len(rest) == 8 and not any(rest)):
                        break  # the file ends there, or nothing is written yet
                    data, asked = read_at(file.fileno(), _MORE_BYTES, self.end), _MORE_BYTES
        except (_Lost, OSError, Unreadable):
            self.is_behind = True
        return moved

    def _take(self, data: bytes, is_whole: bool = False) -> bool:
        """Walk over the frames; True where there were points.

        A crc is checked where a value is taken, and of the last frame, which may not be whole yet; in between, sizes lead from one to the next.
        """
        best: dict[int, tuple[int, int]] = {}  # by tag: step, place
        view, size, at, last, moved = memoryview(data), len(data), 0, -1, False
        while at + frame.METRIC_SIZE <= size:
            _, tag, _, step, _ = frame.METRIC_HEAD.unpack_from(data, at)
            if not 0 < tag <= frame.TAG_MAX:
                good = self._frame(view, at) if tag else None
                if good is None:
                    break
                moved = self._take_control(good) or moved
                at, last = at + good.size, -1
                continue
            length = self._sizes.get(tag)
            if length is None:
                raise _Lost
            if at + length > size:
                break
            if tag not in best or step >= best[tag][0]:
                best[tag] = (step, at)
            at, last = at + length, at
        if last >= 0 and self._frame(view, last) is None:  # it is being written
            if is_whole:
                raise _Lost
            return self._take(data[:last], is_whole=True)
        for tag, (_, place) in best.items():
            self._keep(tag, self._frame(view, place))
        self.end += at
        return moved or bool(best)

    def _frame(self, view: memoryview, at: int) -> scan.Frame | None:
        return scan.frame_at(view, at, self._seed, self._sizes, self.end)

    def _keep(self, tag: int, good: scan.Frame | None) -> None:
        if good is None:
            raise _Lost
        columns = self._sets[tag]
        step, ticks, *values = Struct(f"<iI{len(columns.keys)}d").unpack(good.payload)
        time_ns = columns.time_base_ns + (ticks << frame.TICK_BITS)
        self._add(columns, columns.step_base + step, good.offset, time_ns, tuple(values))

    def _add(self, columns: KeySet, step: int, place: int, time_ns: int, values: tuple[float, ...]) -> None:
        self.last_ns = max(self.last_ns, time_ns)
        self.step = step if self.step is None else max(self.step, step)
        before = self._newest.get(columns.tag)
        if before is None or step >= before[0]:
            self._newest[columns.tag] = (step, place, time_ns, values)

    def _take_control(self, good: scan.Frame) -> bool:
        self.last_ns = max(self.last_ns, good.time_ns or 0)
        if good.tag in _QUIET:
            return False
        columns = scan.key_set(good.payload) if good.tag == frame.KEYS else None
        if columns is None or columns.final:
            self.is_behind = True
            return False
        self._declare(columns)
        if not columns.first:
            return False
        values = Struct(f"<{len(columns.keys)}d").unpack(columns.first)
        self._add(columns, columns.step_base, good.offset, columns.time_base_ns, values)
        return True

    def _declare(self, columns: KeySet) -> None:
        if columns.final:
            return  # a frame of it is not known then, and lost: the index has the last word on what has no step
        self._newest.pop(columns.tag, None)
        self._sets[columns.tag] = columns._replace(first=b"")
        self._sizes[columns.tag] = columns.frame_bytes
