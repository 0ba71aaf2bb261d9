"""Keep the script's output in a file that never grows past its bound: the head and the tail stay, what lies between is counted.

Cost: one write(2) a chunk. Beyond the bound the middle is taken out now and then, by a new file in the place of the old; each byte is moved about
once more for that.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from typing import NamedTuple

from runfolio.errors import UsageError

OUTPUT_BYTES_MAX = 32 << 20
_BYTES_MIN = 4096
_LINE_MAX = 4096
"""How far a cut moves to fall between two lines."""


class Kept(NamedTuple):
    """The file at its end, and how much of the output is not in it."""

    size_bytes: int
    cut_bytes: int


class OutputLog:
    """One file for all streams of a script.

    Contract: any thread may write. Trouble with the disk is never raised: what cannot be written counts as cut, and a line in the file says so.

    Args:
        path: where; made at the first byte. None keeps nothing.
        bytes_max: the bound of the file; 0 keeps nothing.
    """

    def __init__(self, path: str | None, bytes_max: int) -> None:
        self._path = path if bytes_max else None
        self._bytes_max = max(bytes_max, _BYTES_MIN)
        self._quarter = self._bytes_max // 4
        self._lock = allocate_lock()
        self._fd = -1
        self._size = 0
        self._head = -1  # where the head ends; -1 while nothing is cut
        self._resumes = 0  # where the tail begins, behind the line about the cut
        self._cut = 0
        self._dropped = 0  # since the last good write
        self._closed = False

    def write(self, data: bytes) -> None:
        """Append what the script wrote."""
        with self._lock:
            if self._closed:
                return
            for start in range(0, len(data), self._quarter):
                self._write(data[start : start + self._quarter])

    def close(self) -> Kept:
        """Close the file; what comes later is dropped."""
        with self._lock:
            self._closed = True
            if self._dropped:
                self._append(_lost_line(self._dropped))
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
            return Kept(self._size, self._cut)

    def _write(self, piece: bytes) -> None:
        if self._dropped and self._append(_lost_line(self._dropped)):
            self._dropped = 0
        if self._dropped or not self._append(piece):
            self._dropped += len(piece)
            self._cut += len(piece)

    def _append(self, piece: bytes) -> bool:
        """Append a piece, all or nothing."""
        if self._path is None:
            return False
        try:
            if self._fd < 0:
                self._fd = _create(self._path)
            if self._size + len(piece) > self._bytes_max:
                self._take_out_the_middle(self._path)
            _write_all(self._fd, piece)
        except OSError:
            self._shorten()
            return False
        self._size += len(piece)
        return True

    def _shorten(self) -> None:
        """Take back half a piece, so that what stands there is whole."""
        if self._fd >= 0:
            try:
                os.ftruncate(self._fd, self._size)
            except OSError:
                pass

    def _take_out_the_middle(self, path: str) -> None:
        """Write head, line and tail to a new file, and put it in the place of the old one."""
        head = self._head if self._head >= 0 else self._line_end(self._quarter)
        tail = self._line_end(self._size - self._quarter)
        cut = self._cut + tail - (self._resumes if self._head >= 0 else head)
        line = b"\n[runfolio: %d bytes of output are cut here]\n" % cut
        draft = f"{path}.new"
        fd = _create(draft)
        try:
            _copy(self._fd, 0, head, fd)
            _write_all(fd, line)
            _copy(self._fd, tail, self._size, fd)
            os.replace(draft, path)
        except OSError:
            os.close(fd)
            _remove(draft)
            raise
        os.close(self._fd)
        self._fd, self._head, self._resumes, self._cut = fd, head, head + len(line), cut
        self._size = self._resumes + self._size - tail

    def _line_end(self, near: int) -> int:
        """Give the end of a line shortly behind this place, or the place."""
        return near + os.pread(self._fd, min(_LINE_MAX, self._quarter // 2), near).find(b"\n") + 1


def output_bytes_max() -> int:
    """Read $RUNFOLIO_OUTPUT_MAX.

    Raises:
        UsageError: it is no number of bytes.
    """
    told = os.environ.get("RUNFOLIO_OUTPUT_MAX") or str(OUTPUT_BYTES_MAX)
    if not (told.isascii() and told.isdigit()):
        raise UsageError(f"RUNFOLIO_OUTPUT_MAX is {told!r}; it must be a number of bytes, 0 to keep no output")
    return int(told)


def _create(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
    try:
        return os.open(path, flags, 0o666)
    except FileExistsError:
        os.unlink(path)  # of a launcher that was killed half way; a link goes, not what it leads to
        return os.open(path, flags, 0o666)


def _write_all(fd: int, data: bytes | memoryview) -> None:
    data = memoryview(data)
    while data:
        data = data[os.write(fd, data) :]


def _copy(source: int, start: int, end: int, target: int) -> None:
    while start < end:
        piece = os.pread(source, min(1 << 20, end - start), start)
        if not piece:
            raise OSError(5, "the output's file has become shorter")
        _write_all(target, piece)
        start += len(piece)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _lost_line(size_bytes: int) -> bytes:
    return b"\n[runfolio: %d bytes of output could not be written here]\n" % size_bytes
