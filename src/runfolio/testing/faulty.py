"""A disk that fails on request: wraps the system calls that a journal's writer makes.

files = FaultyFiles(SYSTEM)
files.fail("write", errno.ENOSPC, call=3)     # the third write from now on fails, once
files.fail("sync", errno.EIO, times=None)     # every sync fails, until
files.heal("sync")
files.shorten_write(5)                         # the next write takes 5 bytes only
files.tear(7)                                 # the next store into a map is cut after 7 bytes, and the process "dies"
with files.hold("sync") as held: ...          # a slow disk: each sync waits until `held.release()`, or the end of the block
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from mmap import mmap
from typing import Any, NamedTuple, Self, TypeVar

from runfolio.journal.files import Files

T = TypeVar("T")

METHODS = ("create", "write", "reserve", "map", "sync", "sync_folder", "truncate", "close")


class Call(NamedTuple):
    """One call that the writer made, whether it failed or not."""

    method: str
    arguments: tuple[Any, ...]


class Death(BaseException):
    """Stands for the end of the process in the middle of a store into a map: nothing of the caller's may follow."""


class FaultyFiles:
    """`Files` that keep a record of each call and fail as they are told.

    Contract: as that of `Files`; faults may be told from any thread, at any time.
    """

    def __init__(self, real: Files) -> None:
        self._real = real
        self._lock = threading.Lock()
        self._plans: dict[str, list[_Plan]] = {method: [] for method in METHODS}
        self._short: int | None = None
        self._gates: dict[str, Gate] = {}
        self._hooks: dict[str, Callable[[], None]] = {}
        self._torn: int | None = None
        self._paths: dict[int, str] = {}
        self.calls: list[Call] = []

    # ------------------------------------------------------------------------------------------------ what goes wrong

    def fail(self, method: str, errno: int, *, call: int = 1, times: int | None = 1, folder: str = "") -> None:
        """Let a method fail with this errno: the `call`th call from now on, and `times` in a row; None: until `heal`.

        Args:
            folder: count and fail only calls about files in here.
        """
        with self._lock:
            self._plans[method].append(_Plan(errno, call, times, folder))

    def heal(self, *methods: str) -> None:
        """Forget the faults of these methods; of all where none is named."""
        with self._lock:
            for method in methods or METHODS:
                self._plans[method].clear()

    def shorten_write(self, size_bytes: int) -> None:
        """Let the next write take so many bytes only."""
        self._short = size_bytes

    def tear(self, size_bytes: int) -> None:
        """Let the next store into a map made from now on stop after so many bytes, by `Death`."""
        self._torn = size_bytes

    def before(self, method: str, hook: Callable[[], None]) -> None:
        """Call `hook` once, in the middle of the next call of this method, before anything is done."""
        self._hooks[method] = hook

    @contextmanager
    def hold(self, method: str) -> Iterator[Gate]:
        """Let each call of this method wait, as on a slow disk, until the gate opens or the block ends."""
        gate = self._gates[method] = Gate()
        try:
            yield gate
        finally:
            gate.release()
            del self._gates[method]

    # ------------------------------------------------------------------------------------------------ what was done

    def count(self, method: str) -> int:
        """Count the calls of one method so far."""
        return sum(call.method == method for call in self.calls)

    # ------------------------------------------------------------------------------------------------ the calls

    def create(self, path: str) -> int:
        fd = self._do("create", self._real.create, path)
        self._paths[fd] = path
        return fd

    def write(self, fd: int, data: bytes) -> int:
        cut, self._short = self._short, None
        return self._do("write", self._real.write, fd, data if cut is None else data[:cut])

    def reserve(self, fd: int, offset: int, size: int) -> None:
        return self._do("reserve", self._real.reserve, fd, offset, size)

    def map(self, fd: int, offset: int, size: int) -> mmap:
        made = self._do("map", self._real.map, fd, offset, size)
        made.close()
        return TornMap(fd, size, offset=offset).by(self)

    def sync(self, fd: int) -> None:
        return self._do("sync", self._real.sync, fd)

    def sync_folder(self, path: str) -> None:
        return self._do("sync_folder", self._real.sync_folder, path)

    def truncate(self, fd: int, size: int) -> None:
        return self._do("truncate", self._real.truncate, fd, size)

    def close(self, fd: int) -> None:
        return self._do("close", self._real.close, fd)

    def _do(self, method: str, real: Callable[..., T], *arguments: Any) -> T:
        with self._lock:
            self.calls.append(Call(method, arguments))
            errno = self._errno_due(method, arguments[0])
            gate, hook = self._gates.get(method), self._hooks.pop(method, None)
        if hook is not None:
            hook()
        if gate is not None:
            gate.pass_through()
        if errno:
            raise OSError(errno, os.strerror(errno))
        return real(*arguments)

    def _errno_due(self, method: str, about: int | str) -> int:
        path = about if isinstance(about, str) else self._paths.get(about, "")
        due = 0
        for plan in self._plans[method]:
            if path.startswith(plan.folder):
                due = plan.next() or due
        return due

    def _torn_now(self) -> int | None:
        torn, self._torn = self._torn, None
        return torn


class _Plan:
    """Fail the `call`th call, `times` in a row."""

    def __init__(self, errno: int, call: int, times: int | None, folder: str) -> None:
        self._errno, self._wait, self._left, self.folder = errno, call - 1, times, folder

    def next(self) -> int:
        if self._wait:
            self._wait -= 1
            return 0
        if self._left is None:
            return self._errno
        self._left -= 1
        return self._errno if self._left >= 0 else 0


class Gate:
    """Holds calls back until it is opened; tells when the first one has come."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._reached = threading.Event()

    def pass_through(self) -> None:
        self._reached.set()
        self._open.wait()

    def wait_reached(self, timeout_s: float = 30.0) -> bool:
        """Wait until a call stands at the gate."""
        return self._reached.wait(timeout_s)

    def release(self) -> None:
        """Let all calls through, now and later."""
        self._open.set()


class TornMap(mmap):
    """A map whose next store may be cut short, as by a SIGKILL in its middle."""

    _files: FaultyFiles | None = None

    def by(self, files: FaultyFiles) -> Self:
        self._files = files
        return self

    def __setitem__(self, place: Any, data: Any) -> None:
        torn = self._files._torn_now() if self._files is not None else None
        if torn is None:
            return super().__setitem__(place, data)
        start = place.start or 0
        super().__setitem__(slice(start, start + min(torn, len(data))), data[:torn])
        raise Death
