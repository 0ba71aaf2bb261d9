"""Read the user's files and folders as they are: only regular files, each while it holds still.

Never waits: a FIFO, device or socket is refused before it is read, and a file that grows faster than it is read has an end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from runfolio.errors import InvalidValue
from runfolio.store.layout import file_system

READS_MAX = 4
"""So often a file is read that changes meanwhile."""

_CHUNK = 1 << 20
_PSEUDO = frozenset(
    ("proc", "sysfs", "debugfs", "tracefs", "securityfs", "configfs", "cgroup", "cgroup2", "bpf", "pstore", "efivarfs")
)
_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
)


class Changed(OSError):
    """The file was written while it was read."""


class Entry(NamedTuple):
    """A regular file inside a folder: its path, and the way to it from the folder, parted by slashes."""

    path: str
    name: str


def is_folder(path: str) -> bool:
    """Say whether a path is a folder; anything but a folder or a regular file on a disk is refused.

    Raises:
        InvalidValue: a FIFO, socket, device, or a file that the kernel makes up. OSError: there is nothing, or no way to it.
    """
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        return True
    _check(path, found)
    return False


def read(path: str, follow: bool = True) -> Iterator[bytes]:
    """Yield a file's bytes, piece by piece. Raises `Changed` at the end where it did not hold still.

    Raises:
        InvalidValue: no regular file. OSError: it cannot be read.
    """
    fd = _open(path, follow)
    try:
        before = os.fstat(fd)
        _check(path, before)
        size_bytes = 0
        while size_bytes <= before.st_size and (data := os.read(fd, _CHUNK)):  # what grows for ever is left
            size_bytes += len(data)
            yield data
        after = os.fstat(fd)
    finally:
        os.close(fd)
    if size_bytes != before.st_size or _version(after) != _version(before):
        raise Changed(16, "the file was written while it was read; close it first, or take a copy of it", path)


class LeftOut:
    """What of a folder is not among its regular files: what is none, by path and reason, and what cannot be read."""

    def __init__(self) -> None:
        self.others: list[tuple[str, str]] = []
        self.unread: list[OSError] = []

    def add(self, path: str, why: str | OSError) -> None:
        """Take in one entry; what has vanished since it was listed is no trouble."""
        if isinstance(why, FileNotFoundError):
            self.others.append((path, "gone"))
        elif isinstance(why, OSError):
            self.unread.append(why)
        else:
            self.others.append((path, why))


def walk(folder: str, left_out: LeftOut, *, skip: str | None = None, follow: bool = False) -> Iterator[Entry]:
    """Yield the regular files of a folder and those below it; in each folder in the order of their names.

    Args:
        left_out: hears of everything else.
        skip: a folder that is not entered, wherever it turns up.
        follow: go through symbolic links; without, they are left out.

    Raises:
        OSError: the folder itself cannot be read.
    """
    passed = _identity(skip) if skip is not None else None
    ways: list[tuple[str, str, tuple[tuple[int, int], ...]]] = [(folder, "", ())]
    while ways:
        path, name, above = ways.pop()
        here = _identity(path)
        if here is None or here == passed or here in above:
            left_out.add(
                path, "gone" if here is None else "the store itself" if here == passed else "a folder inside itself"
            )
            continue
        try:
            with os.scandir(path) as found:
                entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
        except OSError as trouble:
            if not name:
                raise
            left_out.add(path, trouble)
            continue
        below = []
        for entry in entries:
            entry_name = f"{name}/{entry.name}" if name else entry.name
            mode = _mode(entry, follow, left_out)
            if stat.S_ISDIR(mode):
                below.append((entry.path, entry_name, (*above, here)))
            elif stat.S_ISREG(mode):
                yield Entry(entry.path, entry_name)
        ways += reversed(below)


def _mode(entry: os.DirEntry[str], follow: bool, left_out: LeftOut) -> int:
    """Give the mode of a folder or regular file; 0 for all else, which is told."""
    try:
        mode = entry.stat(follow_symlinks=follow).st_mode
    except OSError as trouble:
        left_out.add(entry.path, "a symbolic link to nothing" if entry.is_symlink() else trouble)
        return 0
    if stat.S_ISDIR(mode) or stat.S_ISREG(mode):
        return mode
    left_out.add(entry.path, _kind(mode))
    return 0


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _open(path: str, follow: bool) -> int:
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    _check_kind(path, os.stat(path) if follow else os.lstat(path))  # before: opening a device can have effects
    return os.open(path, flags | getattr(os, "O_BINARY", 0))


def _check(path: str, found: os.stat_result) -> None:
    _check_kind(path, found)
    if not getattr(found, "st_blocks", 1) and (kind := _file_system(found.st_dev, path)) in _PSEUDO:
        raise InvalidValue(f"this file is made up by the kernel ({kind}); read it and pass the bytes: {path}")


def _check_kind(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise InvalidValue(f"only regular files and folders can be kept; this is {_kind(found.st_mode)}: {path}")


def _file_system(device: int, path: str) -> str:
    if device not in _file_systems:
        _file_systems[device] = file_system(path)
    return _file_systems[device]


_file_systems: dict[int, str] = {}


def _kind(mode: int) -> str:
    return next((words for test, words in _KINDS if test(mode)), "no regular file")


def _version(found: os.stat_result) -> tuple[int, int]:
    return found.st_size, found.st_mtime_ns
