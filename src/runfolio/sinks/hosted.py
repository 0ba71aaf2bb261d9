"""Run a user's back-end object on a thread of its own: what a dialect is handed must not slow or break the loop.

Only for objects that exist in the script and nowhere else; other trackers are fed by the companion process, through
`Feed`. Standard library only.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from runfolio.sdk import trouble

QUEUE_MAX = 10_000  # calls; what they hold is the caller's
EXIT_TIMEOUT_S = 10.0  # for all hosted objects together, at the interpreter's exit


class HostedTold(NamedTuple):
    """What became of the calls: done, failed (the object raised), dropped (the queue was full, or the end came)."""

    done: int = 0
    failed: int = 0
    dropped: int = 0
    error: str | None = None  # the last one


class Hosted:
    """A stand-in with the object's methods: a call returns at once, and the object's own method runs later, in order.

    What the object raises is counted and warned of once; the call is not repeated, because it may have had its effect.
    A full queue drops the new call: the object has seen all before it in order, and most formats append.

    Args:
        obj: the user's object.
        methods: those that may be called; each becomes a method of this one, returning None.
        close: the name of the method that ends the object; None where it has none.
        on_trouble: takes the warning; by default it is warned as all trouble of runfolio is.

    Contract: any thread may call. No call waits or raises, but for `close`, which waits at most its timeout. Where
    nobody closes it, the interpreter's exit does. In a forked child the calls go to a thread of the child's own; what
    waited at the fork is the parent's, and so is the object's end: the child's `close` only empties its own queue.
    """

    def __init__(
        self,
        obj: Any,
        methods: tuple[str, ...] = ("log",),
        close: str | None = "close",
        *,
        on_trouble: Callable[[str], None] = trouble.tell,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        self._obj, self._methods, self._close_name = obj, methods, close
        self._on_trouble, self._queue_max = on_trouble, queue_max
        self._owner = os.getpid()
        self._warned = False
        self._renew()
        _hosted.add(self)
        _watch_exit()

    def _renew(self) -> None:
        """Begin without a queue and a thread: at the start, and in a forked child, which has no thread but this one."""
        self._changed = threading.Condition(threading.Lock())
        self._queue: deque[tuple[str, tuple[Any, ...], dict[str, Any]]] = deque()
        self._thread: threading.Thread | None = None
        self._done = self._failed = self._dropped = 0
        self._error: str | None = None
        self._busy: str | None = None
        self._closing = self._ended = False

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_") or name not in self._methods:
            raise AttributeError(f"{type(self).__name__} of a {type(self._obj).__name__} has no method {name!r}")

        def later(*args: Any, **kwargs: Any) -> None:
            self.call(name, *args, **kwargs)

        self.__dict__[name] = later  # found without this the next time
        return later

    def call(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        """Queue a call of the object's method."""
        with self._changed:
            if self._closing or len(self._queue) >= self._queue_max:
                self._dropped += 1
                full = not self._closing
            else:
                self._queue.append((name, args, kwargs))
                full = False
                self._changed.notify_all()
                if self._thread is None:
                    self._start()
        if full:
            self._warn(f"is slower than its calls come: more than {self._queue_max} wait, new ones are dropped")

    @property
    def told(self) -> HostedTold:
        """What has become of the calls so far; those that wait are in none of the counts."""
        return HostedTold(self._done, self._failed, self._dropped, self._error)

    def close(self, timeout_s: float = EXIT_TIMEOUT_S) -> HostedTold:
        """Wait for the queue, end the object, and tell; after `timeout_s` drop what is left. Again: only tell."""
        with self._changed:
            if not self._closing:
                self._closing = True
                if self._close_name is not None and self._owner == os.getpid():
                    self._queue.append((self._close_name, (), {}))
                if self._queue and self._thread is None:
                    self._start()
                    self._ended = self._ended or self._thread is None
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended or self._thread is None, timeout_s)
            hung = not self._ended and self._thread is not None
            if hung:
                self._abandon(timeout_s)
            told = self.told
        if hung:
            self._warn(f"was given up: {self._error}")
        return told

    def _abandon(self, timeout_s: float) -> None:
        waiting = sum(name in self._methods for name, _, _ in self._queue) + (self._busy in self._methods)
        self._dropped += waiting
        self._error = f"still in {self._busy}() after {timeout_s:g} s, {waiting} calls were dropped"
        self._queue.clear()
        self._ended = True

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, args=(self._changed,), name="runfolio-hosted", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads, or the interpreter goes down
            self._thread = None
            self._dropped += sum(name in self._methods for name, _, _ in self._queue)
            self._queue.clear()
            self._error = str(error)

    def _run(self, changed: threading.Condition) -> None:
        while True:
            with changed:
                changed.wait_for(lambda: self._queue or self._closing or self._ended)
                if self._ended or not self._queue:
                    self._ended = True
                    changed.notify_all()
                    return
                name, args, kwargs = self._queue.popleft()
                self._busy = name
            error = self._call(name, args, kwargs)
            with changed:
                if self._ended:  # given up meanwhile, and counted as dropped
                    return
                self._busy = None
                if error is not None:
                    self._failed, self._error = self._failed + 1, error
                elif name in self._methods:
                    self._done += 1
            if error is not None:
                self._warn(f"raised in {name}(): {error}")

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
        try:
            getattr(self._obj, name)(*args, **kwargs)
        except BaseException as error:  # SystemExit and the like end a thread without a word
            return f"{type(error).__name__}: {error}".removesuffix(": ")
        return None

    def _warn(self, text: str) -> None:
        if self._warned:
            return
        self._warned = True
        try:
            self._on_trouble(f"the back end {type(self._obj).__name__} {text}. The run itself is whole")
        except Exception:  # a call that the loop makes never raises
            trouble.say(f"the back end {type(self._obj).__name__} {text}")


def _renew_all() -> None:
    for hosted in list(_hosted):
        hosted._renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)

_hosted: weakref.WeakSet[Hosted] = weakref.WeakSet()
_watched = False


def _watch_exit() -> None:
    global _watched
    if not _watched:
        _watched = True
        atexit.register(_close_all)


def _close_all() -> None:
    deadline = time.monotonic() + EXIT_TIMEOUT_S
    for hosted in list(_hosted):
        hosted.close(max(0.0, deadline - time.monotonic()))
