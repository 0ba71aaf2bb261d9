"""Hear the signals that reach the launcher, in their order, instead of dying of them."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_HEARD = (*STOPS, signal.SIGUSR1, signal.SIGUSR2)
_NEWS = (signal.SIGWINCH, signal.SIGCHLD)
"""What is heard even where it was ignored: it ends nobody."""


class Signals:
    """While it is entered, signals are bytes in a pipe. One that was ignored stays so, for us and the script: that is what nohup does.

    Contract: in the main thread only.
    """

    def __enter__(self) -> Signals:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._before: dict[int, Any] = {}
        self._fd_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (*_HEARD, *_NEWS):
            if number in _NEWS or signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, _take_note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before if before is not None else signal.SIG_DFL)
        signal.set_wakeup_fd(self._fd_before)
        os.close(self._read)
        os.close(self._write)

    def wait(self, timeout_s: float | None = None) -> list[int]:
        """Wait for signals and give those that came; none when the time is up."""
        poll = select.poll()  # select itself ends at descriptor 1023
        poll.register(self._read, select.POLLIN)
        ready = poll.poll(None if timeout_s is None else timeout_s * 1000)
        return list(os.read(self._read, 4096)) if ready else []


def _take_note(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: that there is a handler lets the interpreter write the number into the pipe."""
