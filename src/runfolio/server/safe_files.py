"""Open a file below a folder so that nothing leads out of it: no name from outside, no link, no device, no swap between look and use.

Each component is opened from the one before it and never followed where it is a link; what was opened is what is looked at, and read.
"""

from __future__ import annotations

import os
import stat
from types import TracebackType

from runfolio.errors import NotFound

_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_BY_FOLDER = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")


class OpenFile:
    """A regular file, open for reading; its size is the one it had when it was opened.

    Contract: any thread may read; `close` comes last and may come twice.
    """

    def __init__(self, fd: int, found: os.stat_result) -> None:
        self.fd = fd
        self.size_bytes = found.st_size
        self.number = found.st_ino

    def read_at(self, start: int, size_bytes: int) -> bytes:
        """Read so many bytes from `start` on; fewer at the end."""
        if hasattr(os, "pread"):
            return os.pread(self.fd, size_bytes, start)
        os.lseek(self.fd, start, os.SEEK_SET)
        return os.read(self.fd, size_bytes)

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_below(root: str, *parts: str) -> OpenFile:
    """Open the regular file `parts` below the folder `root`; the root itself may be a link, as its owner has put it there.

    Args:
        parts: single names, one for each component.

    Raises:
        NotFound: there is none: a part that is no plain name, a link on the way, a folder, FIFO, socket or device.
    """
    if not parts or not all(map(is_plain, parts)):
        raise NotFound("no such file")
    try:
        fd = _open_by_folders(root, parts) if _BY_FOLDER else _open_by_path(root, parts)
    except (OSError, ValueError):
        raise NotFound("no such file") from None  # which of the reasons it is, is nobody's business
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise NotFound("no such file")
    return OpenFile(fd, found)


def is_plain(part: str) -> bool:
    """Say whether this is a single name: no way up, no separator of any system, no drive or stream, no NUL."""
    return part not in ("", ".", "..") and not any(char in part for char in "/\\:\0")


def _open_by_folders(root: str, parts: tuple[str, ...]) -> int:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_CLOEXEC", 0))
    for part in parts[:-1]:
        try:
            inner = os.open(part, _FOLDER, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    try:
        return os.open(parts[-1], _FILE, dir_fd=folder)
    finally:
        os.close(folder)


def _open_by_path(root: str, parts: tuple[str, ...]) -> int:
    """Do without `openat`, as on Windows: links are refused by a look before, which a swap may deceive."""
    path = root
    for part in parts:
        path = os.path.join(path, part)
        if os.path.islink(path):
            raise OSError(40, "a link")
    return os.open(path, _FILE | getattr(os, "O_BINARY", 0))
