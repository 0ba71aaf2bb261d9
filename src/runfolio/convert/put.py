"""Put rendered files in place, and never over what somebody else has written or changed.

A file that is there is replaced only where it is what we wrote last, or where all that it says stands in what takes its place. Else ours goes beside
it, as `<name>.runfolio`. What we wrote last is remembered by its hash, here and in the cache.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, NamedTuple

from runfolio.convert.strict import restored
from runfolio.convert.view import File
from runfolio.model.ids import new_id
from runfolio.store.layout import Layout, cache_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

BESIDE = ".runfolio"
_LOCK_S = 5.0


class _Stamp(NamedTuple):
    size: int
    mtime_ns: int
    ino: int


class _Begun(NamedTuple):
    """The beginning of a rendering."""

    length: int
    digest: bytes


class Putter:
    """Writes the files of views, and knows which of them are its own.

    Contract: for one thread. What a reader sees of a file is a whole rendering, or, of JSON lines, its beginning.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known: dict[str, tuple[_Stamp, str]] = {}  # what we wrote, and the hash of it
        self._begun: dict[str, _Begun] = {}  # of JSON lines: what of the rendering stands there
        self.beside: dict[str, str] = {}
        """Of files that are not ours, where ours is."""

    def put(self, file: File) -> str:
        """Write a file where it belongs, or beside; return where.

        Raises:
            OSError: it cannot be written.
        """
        path = self.beside.get(file.path) or os.path.realpath(file.path)  # a link stays one
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if file.lines and self._append(path, file.content):
            return self.beside.get(file.path, file.path)
        digest = sha256(file.content.encode(errors="surrogatepass")).hexdigest()
        if not self._is_ours(path, file, digest):
            self.beside[file.path] = path = file.path + BESIDE
        if self._known.get(path, (None, ""))[1] != digest or _stamp(path) != self._known[path][0]:
            _replace(path, file.content)
            self._remember(path, digest)
        if file.lines:
            self._begun[path] = _begun(file.content)
        return file.path if path == os.path.realpath(file.path) else path

    def _remember(self, path: str, digest: str) -> None:
        stamp = _stamp(path)
        if stamp is not None:
            self._known[path] = (stamp, digest)
        _note(self._layout, path, digest)

    # ---------------------------------------------------------------- whose it is

    def _is_ours(self, path: str, file: File, digest: str) -> bool:
        """Say whether a file may be replaced: there is none, we wrote it, or nothing of it is lost."""
        stamp = _stamp(path)
        if stamp is None or path.endswith(BESIDE):
            return True
        if not os.path.isfile(path):  # a folder, a pipe, /dev/null
            return False
        if stamp.size == 0:
            return True
        if path in self._known and self._known[path][0] == stamp:
            return True
        found = _read(path)
        if found is None:
            return False
        if sha256(found).hexdigest() in (digest, self._digest_noted(path)):
            return True
        return _lines_within(found, file.content) if file.lines else _within(found, file.content)

    def _digest_noted(self, path: str) -> str | None:
        found = _read(_note_of(self._layout, path))
        return found.decode(errors="replace") if found else None

    # ---------------------------------------------------------------- JSON lines

    def _append(self, path: str, content: str) -> bool:
        """Append what is new to JSON lines that we know or that are the beginning of ours; False where they are neither."""
        stamp = _stamp(path)
        if stamp is None or stamp.size == 0 or not os.path.isfile(path):
            return False
        known, begun = self._known.get(path), self._begun.get(path)
        if known is not None and known[0] == stamp and begun is not None:
            if _begun(content[: begun.length]) != begun:
                return False  # a rewind, or a writer that came late: it is another beginning
            rest = content[begun.length :]
        else:
            found = _read(path)
            missing = None if found is None else _rest_of_lines(found, content)
            if missing is None:
                return False
            rest = missing
        if rest:
            with open(path, "a", encoding="utf-8", errors="surrogatepass", newline="") as file:
                file.write(rest)
        self._begun[path] = _begun(content)
        if rest or known is None or known[0] != stamp:
            self._remember(path, sha256(_read(path) or b"").hexdigest())
        return True


def _begun(content: str) -> _Begun:
    return _Begun(len(content), sha256(content.encode(errors="surrogatepass")).digest())


def note_as_ours(layout: Layout, path: str) -> None:
    """Let a file be replaced as long as it stays as it is now: all of it is kept in the store."""
    found = _read(path)
    if found is not None:
        _note(layout, path, sha256(found).hexdigest())


def _note(layout: Layout, path: str, digest: str) -> None:
    note = _note_of(layout, path)
    try:
        os.makedirs(os.path.dirname(note), exist_ok=True)
        _replace(note, digest)
    except OSError:
        pass  # without a cache, what is there is compared


def _note_of(layout: Layout, path: str) -> str:
    name = sha256(os.path.realpath(path).encode(errors="surrogateescape")).hexdigest()
    return os.path.join(cache_folder(layout.root, layout.store_id() or "none"), "views", name)


@contextmanager
def alone_in(folder: str, wait_s: float | None = None) -> Iterator[None]:
    """Keep other companions from rendering into a folder meanwhile, where the system can.

    Args:
        wait_s: how long one who is there is waited for; whoever holds the lock may be stopped, and a script must not wait for that at its end.
    """
    fd = -1
    if fcntl is not None and os.path.isdir(folder):
        try:
            fd = os.open(folder, os.O_RDONLY)
            _lock(fd, _LOCK_S if wait_s is None else wait_s)
        except OSError:
            pass  # a file system without locks, or one who does not let go: the last one wins
    try:
        yield
    finally:
        if fd >= 0:
            os.close(fd)


def _lock(fd: int, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.01)


def _replace(path: str, content: str) -> None:
    temporary = f"{path}.{new_id()[:8]}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            file.write(content)
        if os.path.exists(path):
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException as failed:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        if isinstance(failed, OSError) and failed.errno is not None:  # the same words each time are told once
            raise OSError(failed.errno, failed.strerror, path) from failed
        raise


def _stamp(path: str) -> _Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return _Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _parsed(text: bytes | str) -> Any:
    return restored(json.loads(text))


def _within(old: bytes, new: str) -> bool:
    """Say whether all that an older file says stands in the newer one."""
    try:
        return _is_part(_parsed(old), _parsed(new))
    except (ValueError, RecursionError):
        return False


def _is_part(old: Any, new: Any) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and _is_part(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) <= len(new) and all(_is_part(a, b) for a, b in zip(old, new, strict=False))
    return old is None or old == new or (old != old and new != new)


def _lines_within(old: bytes, new: str) -> bool:
    return _rest_of_lines(old, new) is not None


def _rest_of_lines(old: bytes, new: str) -> str | None:
    """Give what must be appended to JSON lines to make them the new ones; None where they say something else.

    A line that a crash has cut off is left as it is: a new line begins behind it.
    """
    as_bytes = new.encode(errors="surrogatepass")
    if as_bytes.startswith(old):
        return as_bytes[len(old) :].decode(errors="surrogatepass")
    old_lines, new_lines = old.split(b"\n"), new.split("\n")
    torn = old_lines.pop()  # empty where the file ends as it should
    count = 0
    try:
        for line in old_lines:
            if not line.strip():
                continue
            if count >= len(new_lines) - 1 or not _same_line(line, new_lines[count]):
                return None
            count += 1
    except (ValueError, RecursionError):
        return None
    rest = "\n".join(new_lines[count:])
    return "\n" + rest if torn.strip() else rest


def _same_line(old: bytes, new: str) -> bool:
    return repr(_parsed(old)) == repr(_parsed(new))
