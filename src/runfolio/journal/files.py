"""The system calls that a journal's writer makes, behind one seam.

`SYSTEM` is the real thing; `runfolio.testing.faulty.FaultyFiles` wraps it and fails on request.
"""

from __future__ import annotations

import os
import sys
from errno import EINVAL, ENOTSUP, ENOTTY
from mmap import mmap
from typing import Protocol

_NO_FULL_SYNC = (EINVAL, ENOTSUP, ENOTTY)
"""What a file system answers that cannot empty a drive's cache: a network's, say."""


class Files(Protocol):
    """The calls between a writer and the disk.

    Contract: called by one thread at a time for a given descriptor, but `sync` from the keeper's thread beside the others.
    Every method may raise OSError; nothing else. Nothing is retried here.
    """

    def create(self, path: str) -> int: ...
    def write(self, fd: int, data: bytes) -> int: ...
    def reserve(self, fd: int, offset: int, size: int) -> None: ...
    def map(self, fd: int, offset: int, size: int) -> mmap: ...
    def sync(self, fd: int) -> None: ...
    def sync_folder(self, path: str) -> None: ...
    def truncate(self, fd: int, size: int) -> None: ...
    def close(self, fd: int) -> None: ...


class SystemFiles:
    """Ask the operating system."""

    def create(self, path: str) -> int:
        """Open a new file for reading and appending. It must not exist."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        return _above_streams(os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0), 0o666))

    write = staticmethod(os.write)

    def reserve(self, fd: int, offset: int, size: int) -> None:
        """Make the file system keep blocks for this range, so that a store into the map cannot fail."""
        os.posix_fallocate(fd, offset, size)

    def map(self, fd: int, offset: int, size: int) -> mmap:
        return mmap(fd, size, offset=offset)

    def sync(self, fd: int) -> None:
        """Wait until the file's bytes are on the disk. Lets go of the interpreter lock meanwhile."""
        if sys.platform == "darwin":
            return _sync_fully(fd)
        getattr(os, "fdatasync", os.fsync)(fd)

    def sync_folder(self, path: str) -> None:
        """Make a folder's entries survive a power cut."""
        if os.name == "nt":
            return
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def close(self, fd: int) -> None:
        os.close(fd)


def _above_streams(fd: int) -> int:
    """Keep off the numbers of standard input, output and error: where those are closed, what is printed would meet the journal."""
    if fd > 2:
        return fd
    import fcntl

    try:
        return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(fd)


def _sync_fully(fd: int) -> None:
    """Have the drive empty its own cache too: on macOS fsync only hands the bytes to it."""
    import fcntl

    try:
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined, unused-ignore]
    except OSError as trouble:
        if trouble.errno not in _NO_FULL_SYNC:
            raise
        os.fsync(fd)


class SharedFiles(SystemFiles):
    """The same in a folder that belongs to a group: files of mode 0660, whatever the umask."""

    def create(self, path: str) -> int:
        fd = super().create(path)
        os.fchmod(fd, 0o660)
        return fd


def read_at(fd: int, size: int, offset: int) -> bytes:
    """Read from a place in a file. Where the system has no such call, the file's own position moves."""
    if hasattr(os, "pread"):
        return os.pread(fd, size, offset)
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, size)


def read_into(fd: int, buffer: bytearray, offset: int) -> int:
    """Fill a buffer from a place in a file, as far as there is anything; return how many bytes that were."""
    if hasattr(os, "preadv"):
        return os.preadv(fd, [buffer], offset)
    data = read_at(fd, len(buffer), offset)
    buffer[: len(data)] = data
    return len(data)


SYSTEM: Files = SystemFiles()
