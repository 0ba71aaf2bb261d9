"""Keep the bytes of artifacts: each content once, named by its hash, linked into the runs that use it.

A content lies in `runs/<id>/artifacts/<sha256>`, and the same file once more as `blobs/<sha256>`, where the next run that has the same content
finds it. Where the file system has no hard links each run has its own copy and `blobs` stays empty, so a run's folder is whole by itself.
Nothing stands under its name before its bytes are on the disk, and what stands there is never rewritten in place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from hashlib import sha256
from typing import BinaryIO, NamedTuple
from zlib import crc32

from runfolio.errors import NotFound, Unreadable
from runfolio.journal import identity
from runfolio.journal.files import SYSTEM
from runfolio.model.ids import new_id
from runfolio.store.layout import Layout, is_shared, make_folder

DRAFT_SUFFIX = ".tmp"
_CHUNK = 1 << 20
_MANY = 16  # from so many files on, one syncfs spares the disk most of the work of as many fsyncs


class Blob(NamedTuple):
    """What a content is known by."""

    sha256: str
    size_bytes: int


class DiskTrouble(OSError):
    """The store cannot take the bytes. The source is not to blame."""


class _Staged(NamedTuple):
    draft: str
    blob: Blob


class Shelf:
    """The artifacts of one run, open for more.

    Contract: for one thread. `put` stages a content, `settle` makes all that is staged survive a power cut and gives it its name; what was not
    settled is removed by `close`. Beside any number of other shelves, processes and a gc.
    """

    def __init__(self, layout: Layout, run_id: str) -> None:
        self.home = layout.artifacts(run_id)
        self.shared = layout.blobs
        self._layout = layout
        self._staged: list[_Staged] = []

    def put(self, chunks: Iterable[bytes | memoryview], size_bytes: int = 0) -> Blob:
        """Copy a content, hashing it on the way. Memory: one chunk.

        Args:
            size_bytes: as far as known; a disk that cannot hold it is not filled up first.

        Raises:
            DiskTrouble: the store cannot take it. Whatever reading the chunks raises passes through.
        """
        fd, draft = self._open(size_bytes)
        try:
            blob = _copy(fd, chunks)
        except BaseException:
            os.close(fd)
            _drop(draft)
            raise
        os.close(fd)
        self._staged.append(_Staged(draft, blob))
        return blob

    def settle(self) -> None:
        """Sync what was put, and link it in.

        Raises:
            DiskTrouble: not all of it could be; what could stays.
        """
        staged, self._staged = self._staged, []
        try:
            if len(staged) >= _MANY:
                _sync_file_system(self.home)
            for item in staged:
                _sync(item.draft)
            for item in staged:
                self._link_in(item)
            for folder in (self.home, self.shared) if staged else ():
                SYSTEM.sync_folder(folder)
        except OSError as trouble:
            raise _disk_trouble(trouble) from trouble
        finally:
            for item in staged:
                _drop(item.draft)

    def close(self) -> None:
        """Remove what was put and not settled."""
        for item in self._staged:
            _drop(item.draft)
        self._staged = []

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, size_bytes: int) -> tuple[int, str]:
        try:
            self._make_folders()
            if size_bytes and size_bytes > _free_bytes(self.home):
                raise OSError(28, os.strerror(28), self.home)
            draft = draft_in(self.home)
            return create_draft(draft), draft
        except OSError as trouble:
            raise _disk_trouble(trouble) from trouble

    def _make_folders(self) -> None:
        if not self._layout.exists():
            self._layout.create()
        for folder in (self.home, self.shared):
            make_folder(folder)
            if not stat.S_ISDIR(os.lstat(folder).st_mode):
                raise OSError(20, "not a folder of the store's own", folder)

    def _link_in(self, item: _Staged) -> None:
        """Give a synced draft its names; a file of that name that does not hold the content is replaced."""
        home = os.path.join(self.home, item.blob.sha256)
        shared = os.path.join(self.shared, item.blob.sha256)
        if not holds(home, item.blob):
            if not (holds(shared, item.blob) and _replace_by_link(shared, home)):
                os.replace(item.draft, home)
        if not _same_file(home, shared) and not holds(shared, item.blob):
            _replace_by_link(home, shared)


def keep(layout: Layout, run_id: str, chunks: Iterable[bytes | memoryview], size_bytes: int = 0) -> Blob:
    """Keep one content for a run; when this returns it survives a power cut.

    Raises:
        DiskTrouble: the store cannot take it. Whatever reading the chunks raises passes through.
    """
    with Shelf(layout, run_id) as shelf:
        blob = shelf.put(chunks, size_bytes)
        shelf.settle()
    return blob


def places(layout: Layout, run_id: str, digest: str) -> list[str]:
    """Give where a content of a run may lie, the run's own folder first."""
    return [os.path.join(layout.artifacts(run_id), digest), os.path.join(layout.blobs, digest)]


def open_blob(layout: Layout, run_id: str, digest: str) -> BinaryIO:
    """Open a content that a run uses, as it lies there; `sound_path` looks whether it is whole.

    Raises:
        NotFound: it is not in this store. OSError: it cannot be opened.
    """
    for path in places(layout, run_id, digest):
        try:
            return os.fdopen(_open_regular(path), "rb")
        except FileNotFoundError:
            continue
    raise _missing(digest, layout)


def sound_path(layout: Layout, run_id: str, digest: str) -> str:
    """Find a copy of a content whose bytes still have its hash. Cost: reads all of it.

    Raises:
        NotFound: it is not in this store. Unreadable: it is, and its bytes are damaged.
    """
    there = [path for path in places(layout, run_id, digest) if os.path.lexists(path)]
    for path in there:
        if hash_of(path) == digest:
            return path
    if not there:
        raise _missing(digest, layout)
    raise Unreadable(f"the bytes of artifact {digest[:8]} are damaged: their SHA-256 is another: {there[0]}")


def hash_of(path: str) -> str | None:
    """Hash a regular file of the store; None where there is none, or it cannot be read. Symbolic links are none."""
    try:
        fd = _open_regular(path)
    except OSError:
        return None
    digest = sha256()
    try:
        while data := os.read(fd, _CHUNK):
            digest.update(data)
    except OSError:
        return None
    finally:
        os.close(fd)
    return digest.hexdigest()


def holds(path: str, blob: Blob) -> bool:
    """Say whether a file of the store is this content, by its bytes: rot on the disk leaves the size."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == blob.size_bytes and hash_of(path) == blob.sha256


# ------------------------------------------------------------------------------------------------------------- drafts


def draft_in(folder: str) -> str:
    """Name a temporary file that says which process writes it, so that gc knows when nobody does."""
    return os.path.join(folder, new_id() + signature() + DRAFT_SUFFIX)


def signature() -> str:
    """Give the part of a name that says which process has made the file."""
    pid = os.getpid()
    return f".{pid}-{identity.pid_start(pid) or 0}-{_machine_mark()}"


def signer_is_gone(path: str) -> bool:
    """Say whether the process that signed a name is known to be gone; False where this machine cannot tell."""
    parts = os.path.splitext(os.path.basename(path))[0].rpartition(".")[2].split("-")
    if len(parts) != 3 or parts[2] != _machine_mark() or not (parts[0].isdigit() and parts[1].isdigit()):
        return False
    return identity.lives(int(parts[0]), int(parts[1]) or None) is False


def create_draft(path: str) -> int:
    """Create a file that nobody else has; its mode follows the umask, or the folder that is shared by a group."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    fd = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0), 0o666)
    if is_shared(os.path.dirname(path)):
        os.fchmod(fd, 0o660)
    return fd


def _machine_mark() -> str:
    """Mark this boot of this machine and its pid namespace: where the same pid is the same process."""
    told = f"{identity.boot_id()} {identity.pid_namespace()}" if identity.boot_id() else new_id()
    return f"{crc32(told.encode()):08x}"


def _drop(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


# -------------------------------------------------------------------------------------------------------------- disk


def _copy(fd: int, chunks: Iterable[bytes | memoryview]) -> Blob:
    digest, size_bytes = sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size_bytes += len(chunk)
        _write(fd, memoryview(chunk))
    return Blob(digest.hexdigest(), size_bytes)


def _write(fd: int, data: memoryview) -> None:
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError as trouble:
        raise _disk_trouble(trouble) from trouble


def _disk_trouble(trouble: OSError) -> DiskTrouble:
    if isinstance(trouble, DiskTrouble):
        return trouble
    return DiskTrouble(trouble.errno, trouble.strerror or str(trouble), trouble.filename)


def _open_regular(path: str) -> int:
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    fd = os.open(path, flags | getattr(os, "O_BINARY", 0))
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise OSError(22, "not a regular file", path)


def _free_bytes(folder: str) -> int:
    if not hasattr(os, "statvfs"):
        return 1 << 62
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _sync(path: str) -> None:
    fd = os.open(path, (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | getattr(os, "O_NOFOLLOW", 0))
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sync_file_system(folder: str) -> None:
    """Write out the whole file system at once, where libc can; the fsync of each file that follows is cheap then."""
    try:
        import ctypes

        fd = os.open(folder, os.O_RDONLY)
        try:
            ctypes.CDLL(None).syncfs(fd)
        finally:
            os.close(fd)
    except (OSError, AttributeError, ImportError, TypeError):
        pass  # the fsyncs do without


def _same_file(one: str, other: str) -> bool:
    try:
        first, second = os.lstat(one), os.lstat(other)
    except OSError:
        return False
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _replace_by_link(source: str, target: str) -> bool:
    """Make `target` another name of `source`, whatever stood there; False where the file system has no links."""
    draft = draft_in(os.path.dirname(target))
    try:
        if os.link in os.supports_follow_symlinks:
            os.link(source, draft, follow_symlinks=False)  # a link planted in our place is not followed
        else:
            os.link(source, draft)
    except OSError:
        return False
    try:
        os.replace(draft, target)
    finally:
        _drop(draft)  # rename(2) leaves both names where they are one file already
    return True


def _missing(digest: str, layout: Layout) -> NotFound:
    return NotFound(f"the bytes of artifact {digest[:8]} are not in this store: {layout.root}")
