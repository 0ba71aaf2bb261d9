"""Find the git repository around a folder and read its HEAD, by reading files only.

No git is needed for that, and nothing that a hostile repository holds is executed or believed: a commit is 40 or 64 hex
digits or it is none, whatever file a link leads to.

Source: gitrepository-layout(5), git 2.39.
"""

from __future__ import annotations

import os
import re
import stat
from typing import BinaryIO, NamedTuple

_COMMIT = re.compile(rb"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_REF = re.compile(rb"ref:\s*(refs/[^\0-\x20\x7f~^:?*\[\\]+)\Z")
_SMALL = 4_096
_PACKED_MAX = 64 << 20


class Repository(NamedTuple):
    """Where the parts of a repository lie. `work_tree` is None where it is bare."""

    work_tree: str | None
    git_dir: str
    common_dir: str


class Head(NamedTuple):
    """What is checked out: a commit, or None before the first; a branch, or None where HEAD is detached."""

    commit: str | None
    branch: str | None


def find_repository(folder: str) -> Repository | None:
    """Return the repository that a folder lies in."""
    folder = os.path.abspath(folder)
    while True:
        for work_tree, git_dir in ((folder, _git_dir(os.path.join(folder, ".git"))), (None, folder)):
            if git_dir and _is_repository(git_dir):
                return Repository(work_tree, git_dir, _common_dir(git_dir))
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def read_head(repository: Repository) -> Head | None:
    """Return what is checked out, or None where it cannot be told from the files."""
    content = read_small(os.path.join(repository.git_dir, "HEAD"))
    if _COMMIT.match(content):
        return Head(content.decode(), None)
    found = _REF.match(content)
    if not found or found[1] == b"refs/heads/.invalid":  # the refs stand in tables, see reftable in git's docs
        return None
    ref = os.fsdecode(found[1])
    return Head(_read_ref(repository, ref), ref.removeprefix("refs/heads/"))


def read_small(path: str, size_max: int = _SMALL) -> bytes:
    """Return the content of a small regular file without the white space around it; nothing where there is none."""
    file = open_regular(path)
    if file is None:
        return b""
    with file:
        content = file.read(size_max + 1)
    return content.strip() if len(content) <= size_max else b""


def open_regular(path: str) -> BinaryIO | None:
    """Open a regular file to read, or return None where it is none: a FIFO does not hang us, nor a device fill us."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return open(fd, "rb")
    os.close(fd)
    return None


def _git_dir(path: str) -> str | None:
    """Return the folder that a `.git` is or, as a file, names: that of a worktree or a submodule."""
    if os.path.isdir(path):
        return path
    content = read_small(path)
    if not content.startswith(b"gitdir:"):
        return None
    return os.path.normpath(os.path.join(os.path.dirname(path), os.fsdecode(content[7:].strip())))


def _is_repository(git_dir: str) -> bool:
    """Say whether a folder has the parts of a repository."""
    if not os.path.isfile(os.path.join(git_dir, "HEAD")):
        return False
    common_dir = _common_dir(git_dir)
    return all(os.path.isdir(os.path.join(common_dir, part)) for part in ("objects", "refs"))


def _common_dir(git_dir: str) -> str:
    """Return the folder that a worktree shares with its main repository."""
    name = read_small(os.path.join(git_dir, "commondir"))
    return os.path.normpath(os.path.join(git_dir, os.fsdecode(name))) if name and b"\0" not in name else git_dir


def _read_ref(repository: Repository, ref: str) -> str | None:
    """Return the commit that a ref stands for, or None where it has none yet."""
    if ".." in ref.split("/"):
        return None
    for _ in range(5):  # a ref may name another one
        content = read_small(os.path.join(repository.common_dir, ref))
        if _COMMIT.match(content):
            return content.decode()
        found = _REF.match(content)
        if not found or b".." in found[1].split(b"/"):
            break
        ref = os.fsdecode(found[1])
    return _read_packed(repository, os.fsencode(ref))


def _read_packed(repository: Repository, ref: bytes) -> str | None:
    """Return the commit of a ref in the file that holds many."""
    packed = read_small(os.path.join(repository.common_dir, "packed-refs"), _PACKED_MAX)
    end = (packed + b"\n").find(b" " + ref + b"\n")
    commit = packed[packed.rfind(b"\n", 0, max(end, 0)) + 1 : max(end, 0)]
    return commit.decode() if _COMMIT.match(commit) else None
