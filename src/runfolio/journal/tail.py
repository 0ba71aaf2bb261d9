"""Append frames to one journal file: through a map over reserved blocks, or by one write(2) each.

Cost of a frame: mapped, one memory copy and no system call; else one write(2). Space is reserved 64 KiB first, then 256 KiB, 1 MiB, 4 MiB,
and the last `SPARE` bytes of it are kept for the frames that tell of a full disk. A map covers only the last reservation.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from mmap import ALLOCATIONGRANULARITY, PAGESIZE, mmap
from zlib import crc32

from runfolio.journal import frame
from runfolio.journal.files import Files, read_at

CHUNKS = (64 << 10, 256 << 10, 1 << 20, 4 << 20)
SPARE = 4096
_CRC_STEP = 4096  # zlib lets go of the interpreter lock for buffers over 5 KiB, and would wait for a busy thread


class Tail:
    """One open journal file and the place where its next frame goes.

    Contract: every method is called under the writer's lock, but `sync`, which the keeper calls beside the others.
    Methods that touch the disk raise OSError and leave the file as it was, at a frame's border.
    """

    __slots__ = (
        "base", "block_start", "broken", "doubtful", "due", "fd", "files", "halted", "journal_id", "map", "next_block", "off", "once", "path",
        "reserved", "seed", "seq", "stop", "synced", "syncing", "tags",
    )  # fmt: skip

    def __init__(self, files: Files, folder: str, journal_id: str, mapped: bool) -> None:
        """Create the file, with its header."""
        self.files = files
        self.journal_id = journal_id
        self.path = os.path.join(folder, journal_id + frame.SUFFIX)
        self.seed = frame.seed_of(journal_id)
        self.off = self.seq = self.base = self.reserved = self.synced = self.tags = 0
        self.once: list[frame.Declaration] = []  # declarations in use that stand only once so far
        self.due: list[frame.Declaration] = []  # those of earlier blocks, to be copied now
        self.block_start = frame.HEADER_SIZE
        self.next_block = self.block_start + frame.BLOCK_BYTES
        self.map: mmap | None = None
        self.broken = False
        self.doubtful = False  # a sync has failed: what it was about may be gone, whatever a later one says
        self.halted = False  # nothing takes the short way: there is something to tell first
        try:
            self.syncing = RLock()
        except RuntimeError as trouble:
            raise OSError(12, "no memory for a lock") from trouble
        self.stop = -1
        self.fd = files.create(self.path)
        try:
            if mapped:
                self._grow(0)
            self._set_stop()
            self.put(frame.file_header(journal_id), frames=0)
        except BaseException:
            self.abandon(remove=True)
            raise

    def room(self, size: int) -> None:
        """Make sure that a frame of this size can be put, or raise OSError."""
        if self.map is not None and self.off + size + SPARE > self.reserved:
            self._grow(size)
        self._set_stop()

    def spare_for(self, size: int, leave: int) -> bool:
        """Say whether the room spared for a full disk takes a frame of this size, and leaves so many bytes."""
        return self.map is not None and self.off + size + leave <= self.reserved

    def put(self, data: bytes, frames: int = 1) -> None:
        """Append the bytes of so many frames, wholly or not at all, also where an interrupt comes between."""
        end = self.off + len(data)
        if self.broken:
            raise OSError(5, "the journal ends in a torn frame", self.path)
        if self.map is not None:
            if end > self.reserved:
                raise OSError(28, "no room reserved in the journal", self.path)
            self.map[self.off - self.base : end - self.base] = data
            self.off, self.seq = end, self.seq + frames
            return
        try:
            if self.files.write(self.fd, data) != len(data):
                self._write_rest(data, os.fstat(self.fd).st_size - self.off)
            self.off, self.seq = end, self.seq + frames
        except BaseException:
            self._roll_back()
            raise

    def control(self, tag: int, time_ns: int, payload: bytes = b"") -> bytes:
        """Render the next frame, without appending it."""
        return frame.control(tag, self.seq, self.off, self.seed, time_ns, payload)

    def put_control(self, tag: int, time_ns: int, payload: bytes = b"") -> None:
        """Append a control frame."""
        self.put(self.control(tag, time_ns, payload))

    def _warm(self) -> None:
        """Let the kernel make the next pages ready at once: 2.4 µs a page, and 5.7 where each is faulted in by the store that needs it."""
        start = (self.off - self.base) // PAGESIZE * PAGESIZE
        if self.map is not None and _populate:
            try:
                self.map.madvise(
                    _POPULATE_WRITE, start, min(frame.BLOCK_BYTES + PAGESIZE, self.reserved - self.base - start)
                )
            except (OSError, ValueError):
                _populate.clear()  # a kernel before 5.14

    def put_keys(self, declared: frame.Declaration, first: bytes = b"") -> None:
        """Append the declaration of a key set."""
        self.put(frame.keys_frame(declared, self.seq, self.off, self.seed, first))

    def halt(self, halted: bool) -> None:
        """Let nothing take the short way, or everything again."""
        self.halted = halted
        self._set_stop()

    def block_due(self) -> bool:
        return self.off >= self.next_block

    def put_block(self, time_ns: int) -> None:
        """Append a block frame over all bytes since the last one; the declarations in them are to be copied now."""
        crc = self._crc_since(self.block_start)
        self.put_control(frame.BLOCK, time_ns, frame.block_payload(self.block_start, self.seq, crc))
        self.block_start = self.off
        self.next_block = self.off + frame.BLOCK_BYTES
        self.due += self.once
        self.once.clear()
        self._set_stop()
        self._warm()

    def put_copies(self, size_max: int) -> None:
        """Append copies of the declarations that are due, of about so many bytes."""
        end = self.off + size_max
        while self.due and self.off < end:
            self.room(frame.keys_bytes(len(self.due[0][4]), self.due[0][5]))
            self.put_keys(self.due[0])
            del self.due[0]
        self._set_stop()

    def sync(self) -> int:
        """Wait until what is there now is on the disk; return the offset up to which it is.

        One at a time: the kernel tells a failure to one caller only, and to nobody the next time.
        """
        with self.syncing:
            off, fd = self.off, self.fd
            try:
                if fd >= 0 and not self.doubtful:
                    self.files.sync(fd)
            except OSError:
                self.doubtful = True
                raise
            if self.doubtful:
                raise OSError(5, "an earlier sync of this journal failed", self.path)
            return off

    def retire(self) -> None:
        """Take no more frames and give back the space that was reserved and not used; the file is still to be synced and closed."""
        self.stop = -1
        had_map, self.map = self.map is not None, None
        if had_map and self.fd >= 0:
            self.files.truncate(self.fd, self.off)

    def close(self) -> None:
        """Sync the file and close it; once more does no harm."""
        with self.syncing:
            try:
                self.retire()
                self.sync()
            finally:
                self.abandon()

    def abandon(self, remove: bool = False) -> None:
        """Let go of the file as it is: in the child of a fork, or after trouble."""
        self.stop = -1
        self.map = None
        fd, self.fd = self.fd, -1
        if fd >= 0:
            try:
                self.files.close(fd)
                if remove:
                    os.unlink(self.path)
            except OSError:
                pass

    def _set_stop(self) -> None:
        if self.broken or self.fd < 0:
            return
        end = self.off if self.due or self.halted else self.next_block
        self.stop = end if self.map is None else min(end, self.reserved - SPARE)

    def _grow(self, size: int) -> None:
        need = self.off + size + SPARE - self.reserved
        least = -(-need // CHUNKS[0]) * CHUNKS[0]
        step = max(least, *[chunk for chunk in CHUNKS if chunk > self.reserved][:1] or CHUNKS[-1:])
        try:
            step = self._reserve(step, least)
        except OSError as trouble:
            if trouble.errno in _NO_ROOM:
                raise
            return self._go_plain()
        base = min(self.off, self.block_start) // ALLOCATIONGRANULARITY * ALLOCATIONGRANULARITY
        reserved = self.reserved + step
        try:
            self.map = self.files.map(self.fd, base, reserved - base)
        except (OSError, ValueError):
            return self._go_plain()
        self.base, self.reserved = base, reserved
        self._warm()

    def _reserve(self, step: int, least: int) -> int:
        """Reserve so many bytes, or on a disk that is nearly full the least that will do; return how many."""
        try:
            self.files.reserve(self.fd, self.reserved, step)
        except OSError as trouble:
            if step == least or trouble.errno not in _NO_ROOM:
                raise
            self.files.reserve(self.fd, self.reserved, least)
            return least
        return step

    def _go_plain(self) -> None:
        """Go on with write(2): no blocks to reserve here, or no map to be had."""
        self.files.truncate(self.fd, self.off)
        self.map = None
        self.base = self.reserved = 0

    def _write_rest(self, data: bytes, done: int) -> None:
        while done < len(data):
            done += self.files.write(self.fd, data[done:])

    def _roll_back(self) -> None:
        """Cut off what a failed write left; where that fails too, nothing more may be put behind it."""
        self.broken, stop, self.stop = True, self.stop, -1
        try:
            if os.fstat(self.fd).st_size > self.off:
                self.files.truncate(self.fd, self.off)
        except OSError:
            return
        self.broken, self.stop = False, stop

    def _crc_since(self, start: int) -> int:
        if self.map is not None and start >= self.base:
            return self._crc_of_map(start)
        crc, at = 0, start
        while at < self.off:
            data = read_at(self.fd, min(_CRC_STEP * 16, self.off - at), at)
            if not data:
                raise OSError(5, "the journal is shorter than what was written to it", self.path)
            crc = crc32(data, crc)
            at += len(data)
        return crc

    def _crc_of_map(self, start: int) -> int:
        crc = 0
        assert self.map is not None
        with memoryview(self.map) as view:
            for at in range(start - self.base, self.off - self.base, _CRC_STEP):
                crc = crc32(view[at : min(at + _CRC_STEP, self.off - self.base)], crc)
        return crc


_POPULATE_WRITE = 23
_populate = {"tried"} if sys.platform == "linux" else set()
_NO_ROOM = frozenset({28, 122, 27, 5, 30})  # ENOSPC, EDQUOT, EFBIG, EIO, EROFS
