"""An open file for what reads previews and output."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Opened:
    """A file as the server opens it, which counts what is read of it."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDONLY)
        found = os.fstat(self.fd)
        self.size_bytes, self.number = found.st_size, found.st_ino
        self.read_bytes = 0

    def read_at(self, start: int, size_bytes: int) -> bytes:
        data = os.pread(self.fd, size_bytes, start)
        self.read_bytes += len(data)
        return data


@contextmanager
def opened(content: bytes | Path) -> Iterator[Opened]:
    """Open a file, or one with this content."""
    path = content if isinstance(content, Path) else Path("content")
    if isinstance(content, bytes):
        path.write_bytes(content)
    file = Opened(path)
    try:
        yield file
    finally:
        os.close(file.fd)
