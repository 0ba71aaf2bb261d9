"""Have a process beside the script keep views of a run and feed it to other trackers.

The script pays one process for all its runs, started when the first view or sink is asked for, and one short line through a pipe for each. What the
companion does, slow or failing, touches neither loop nor run. Where it cannot be had, the views are rendered here when they must be exact.
"""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from runfolio.errors import MissingExtra, UsageError
from runfolio.sdk import exits, trouble
from runfolio.sdk.capture.companion import command_of, environment_of

if TYPE_CHECKING:
    from runfolio.sdk.active import ActiveRun

COMPANION = "runfolio.followers"
_RENDER = "runfolio.followers.rendering"
_SINKS = "runfolio.sinks.make"
AT_END_S = 10.0
HUNG_S = 0.5
"""How long one that has not answered in time is waited for, until it answers again."""
STARTS_MAX = 4
ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
_MESSAGE_MAX = 1 << 16


def keep_view(run: ActiveRun, format: str, path: str | os.PathLike[str], **options: Any) -> None:
    """Keep the documented files of a format at a path, from now on and exactly at the end.

    Args:
        path: made absolute here.
        options: what the format's renderer wants to know; JSON.
    """
    _ask(run, "view", format=format, path=os.path.abspath(path), options=options)


def feed_sink(run: ActiveRun, kind: str, **options: Any) -> None:
    """Feed a run to another tracker.

    Raises:
        ImportError: the package is not installed. UsageError: no such kind.
    """
    sinks = import_module(_SINKS)
    settled = sinks.settled(kind, options)
    install = sinks.missing(kind)
    if install:
        raise MissingExtra(f"the sink {kind!r} needs a package that is not installed: {install}")
    _ask(run, "sink", kind=kind, options=settled)


def settle(run: ActiveRun, timeout_s: float = 60.0) -> bool:
    """Return when the views of a run are exact as of now; False where they could not be made so in time."""
    return run not in _asked or _make_exact(run, timeout_s)


def ended(run: ActiveRun) -> None:
    """Wait for the last state of the views, after a run has ended; and tell what the companion had to say."""
    if run in _asked and _make_exact(run, AT_END_S):
        del _asked[run]


def _make_exact(run: ActiveRun, timeout_s: float) -> bool:
    if _companion is not None and _companion.settle(run, timeout_s):
        return True
    _revive()
    try:
        import_module(_RENDER).render(run.pen.layout, run.id)
    except Exception as failed:
        trouble.tell(f"the files of run {run.id[:8]} could not be written: {type(failed).__name__}: {failed}")
        return False
    return True


def hear() -> None:
    """Tell what the companion has to say; never waits."""
    if _companion is not None:
        _companion.overhear()
        _revive()


# ------------------------------------------------------------------------------------------------- its process

_asked: dict[ActiveRun, list[dict[str, Any]]] = {}
_companion: Companion | None = None
_starts = 1
_lock = threading.RLock()


def _ask(run: ActiveRun, type_: str, **fields: Any) -> None:
    if run.pen.role == "disabled":
        return
    try:
        json.dumps(fields)
    except (TypeError, ValueError) as bad:
        raise UsageError(f"the options of a {type_} must be plain JSON: {bad}") from bad
    with _lock:
        told = _asked.setdefault(run, [])
        if (asked := {"type": type_, **fields}) in told:
            return
        told.append(asked)
        run.tell(type_, **fields)
        run.after_end = ended
        if _companion is not None and _companion.alive:
            _companion.follow(run)
        else:
            _begin()


def _begin() -> None:
    """Start a companion, and have it follow all runs that asked for one."""
    global _companion
    before, _companion = _companion, Companion()
    if before is not None:
        before.forget()
    exits.chore(hear)
    for run in list(_asked):
        _companion.follow(run)


def _revive() -> None:
    """Start another companion in the place of one that was killed: a few times, as it may be the machine's memory that killed it."""
    global _starts
    if not _lock.acquire(blocking=False):
        return  # somebody asks for something at this moment
    try:
        if _asked and _companion is not None and _companion.has_died and _starts < STARTS_MAX:
            _starts += 1
            _begin()
    finally:
        _lock.release()


class Companion:
    """The other end: a process that reads lines of JSON and answers with some.

    Contract: any thread may use it; nothing raises, and nothing but `settle` waits. What the pipe cannot take yet is said later.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.RLock()  # over hearing
        self._saying = threading.RLock()
        self._heard = self._unsaid = b""
        self._settled: dict[int, bool] = {}
        self._count = 0
        self._hung = False
        self._told: set[str] = set()
        self._to, self._from = _start()
        self.alive = self._to >= 0
        self._stamps = {fd: _stamp(fd) for fd in (self._to, self._from)}

    @property
    def has_died(self) -> bool:
        """Whether it was there, and is no more."""
        return self._to >= 0 and not self.alive and os.getpid() == self._owner

    def follow(self, run: ActiveRun) -> None:
        self._say({"follow": [run.pen.layout.root, run.id]})

    def settle(self, run: ActiveRun, timeout_s: float) -> bool:
        """Have it make the views exact; False where it does not answer, or could not."""
        with self._lock:
            self._count += 1
            number = self._count
            self._say({"settle": [run.pen.layout.root, run.id], "number": number})
            until = time.monotonic() + (min(timeout_s, HUNG_S) if self._hung else timeout_s)
            while number not in self._settled:
                left = until - time.monotonic()
                self._hung = left <= 0
                if left <= 0 or not self.alive:
                    return False
                self._say_rest()
                self.hear(min(left, 0.1) if self._unsaid else left)
            return self._settled.pop(number)

    def overhear(self) -> None:
        """Take in what it has said, unless somebody does already; and say what is left."""
        self._say_rest()
        if self._lock.acquire(blocking=False):
            try:
                self.hear(0)
            finally:
                self._lock.release()

    def hear(self, wait_s: float) -> None:
        """Take in what it has said."""
        with self._lock:
            if not self.alive or not self._is_ours(self._from):
                return
            try:
                if not select.select([self._from], [], [], wait_s)[0]:
                    return
                data = os.read(self._from, _MESSAGE_MAX)
            except (OSError, ValueError):
                data = b""
            if not data:
                self.alive = False
                return
            *lines, self._heard = (self._heard + data).split(b"\n")
            for line in lines:
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            if "settled" in message:
                self._settled[message["settled"]] = message["exact"]
                self._hung = False
            elif (told := str(message["trouble"])) not in self._told:
                self._told.add(told)
                trouble.tell(told)
        except (ValueError, LookupError, TypeError):
            pass  # not from us: what something prints there

    def _say(self, message: dict[str, Any]) -> None:
        with self._saying:
            self._unsaid += json.dumps(message).encode() + b"\n"
            self._say_rest()

    def _say_rest(self) -> None:
        with self._saying:
            if not self._unsaid or not self.alive or not self._is_ours(self._to):
                return
            try:
                with _no_sigpipe():
                    self._unsaid = self._unsaid[os.write(self._to, self._unsaid) :]
            except BlockingIOError:
                pass  # it has much to do
            except OSError:  # it is gone
                self.alive = False

    def _is_ours(self, fd: int) -> bool:
        """Say whether a descriptor is still what it was: a script may have closed all of them, and its own file have the number now."""
        if os.getpid() != self._owner or self._stamps[fd] != _stamp(fd):
            self.alive = False
        return self.alive

    def forget(self) -> None:
        """Close our ends. The child of a fork must, as the companion is the parent's, whose end it is to see."""
        self.alive = False
        for fd, stamp in self._stamps.items():
            if fd >= 0 and stamp == _stamp(fd):
                os.close(fd)
        self._stamps = dict.fromkeys(self._stamps)


def _stamp(fd: int) -> tuple[int, int] | None:
    """Tell what a descriptor is of; None for nothing."""
    try:
        found = os.fstat(fd)
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def _no_sigpipe() -> Iterator[None]:
    """Keep a write to a companion that is gone from killing a script that has asked for the signal's default."""
    import signal

    number = getattr(signal, "SIGPIPE", None)
    if number is None or signal.getsignal(number) is signal.SIG_IGN:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    try:
        yield
    finally:
        if number not in before:
            if number in signal.sigpending():
                signal.sigwait([number])
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])


def _start() -> tuple[int, int]:
    """Start the process; give the ends of the pipes to and from it, each -1 where there is none to be had."""
    command = command_of(COMPANION)
    if command is None or not hasattr(os, "posix_spawn"):
        return -1, -1
    fds: list[int] = []
    try:
        for _ in range(2):
            fds += _high(*os.pipe())
        theirs: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_DUP2, fds[0], 0), (os.POSIX_SPAWN_DUP2, fds[3], 1)]
        if not os.environ.get(
            "RUNFOLIO_DEBUG"
        ):  # whoever waits for the end of the script's output must not wait for it
            theirs.append((os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_RDWR, 0))
        # A process group of its own: a Ctrl-C in the terminal is meant for the script. What a scheduler sends to all waits until it listens.
        pid = os.posix_spawn(
            command[0], command, environment_of(), file_actions=theirs, setpgroup=0, setsigmask=_signals()
        )
    except (OSError, ValueError):
        for fd in fds:
            os.close(fd)
        return -1, -1
    os.close(fds[0])
    os.close(fds[3])
    os.set_blocking(fds[1], False)
    exits.companion(pid)  # which makes another, and ends
    return fds[1], fds[2]


def _high(*fds: int) -> list[int]:
    """Give the descriptors numbers above those of the standard streams, which a script may have closed and something still write to."""
    import fcntl

    high = []
    for fd in fds:
        high.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3) if fd < 3 else fd)
        if fd < 3:
            os.close(fd)
    return high


def _signals() -> list[int]:
    """Give the signals that end a script and must not end its companion."""
    import signal

    return [int(getattr(signal, name)) for name in ENDING if hasattr(signal, name)]


def let_go() -> None:
    """Have nothing followed any more from here. The companion ends with the runs that it follows."""
    global _companion
    _asked.clear()
    if _companion is not None:
        _companion.forget()
        _companion = None


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()
    let_go()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
