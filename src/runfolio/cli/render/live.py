"""Draw on a terminal again and again, calmly, and leave it as it was: whatever ends us."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from runfolio.cli.render.screen import write

_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l\x1b[2J", "\x1b[?25h\x1b[?1049l"
_TOGETHER, _SHOWN = "\x1b[?2026h", "\x1b[?2026l"  # one picture for terminals that know how; others pass it over
_QUIT = b"qQ\x04"


class Live:
    """The alternate screen of standard output, without cursor and echo, until it is left.

    Contract: of the main thread. SIGTERM and SIGHUP end by SystemExit, Ctrl-C by KeyboardInterrupt, so that every end
    goes through `__exit__`; Ctrl-Z gives the terminal back and `fg` takes it again.
    """

    def __init__(self) -> None:
        self._drawn: list[str] = []
        self._handlers: dict[int, Any] = {}
        self._keys = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        self._heard: set[int] = set()
        self._mode: list[Any] | None = None
        self._woken, self._wake = os.pipe()

    def __enter__(self) -> Live:
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
                self._handlers[number] = signal.signal(number, _end)
        for number in (signal.SIGTSTP, signal.SIGWINCH):
            self._handlers[number] = signal.signal(number, self._remember)
        self._old_wake = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            self._take()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def draw(self, lines: list[str]) -> None:
        """Show these lines; only those that have changed are written."""
        changed = [
            f"\x1b[{row};1H{line}\x1b[K"
            for row, line in enumerate(lines, 1)
            if row > len(self._drawn) or self._drawn[row - 1] != line
        ]
        if len(lines) < len(self._drawn):
            changed.append(f"\x1b[{len(lines) + 1};1H\x1b[J")
        if changed:
            self._say(_TOGETHER + "".join(changed) + _SHOWN)
        self._drawn = lines

    def wait(self, seconds: float) -> bool:
        """Wait, or for less where the terminal's size changes; say whether someone wants to leave."""
        ready, _, _ = select.select([self._woken, *([] if self._keys is None else [self._keys])], [], [], seconds)
        if self._woken in ready:
            with suppress(BlockingIOError):
                os.read(self._woken, 4096)
            self._answer()
        if self._keys in ready and self._keys is not None:
            typed = os.read(self._keys, 4096)
            return not typed or any(key in _QUIT for key in typed)
        return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a terminal that is gone needs nothing back
            self._give_back()
        signal.set_wakeup_fd(self._old_wake)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._woken)
        os.close(self._wake)

    def _take(self) -> None:
        if self._keys is not None:
            self._mode = termios.tcgetattr(self._keys)
            mode = termios.tcgetattr(self._keys)
            mode[3] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(self._keys, termios.TCSADRAIN, mode)
        self._drawn = []
        self._say(_ENTER)

    def _give_back(self) -> None:
        if self._keys is not None and self._mode is not None:
            termios.tcsetattr(self._keys, termios.TCSADRAIN, self._mode)
            self._mode = None
        self._say(_LEAVE)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        """Leave it to `wait`, which the signal wakes: within a handler nothing may be written, a write may be under way."""
        self._heard.add(number)

    def _answer(self) -> None:
        heard, self._heard = self._heard, set()
        if signal.SIGTSTP in heard:
            self._give_back()
            os.kill(os.getpid(), signal.SIGSTOP)
            self._take()
        elif signal.SIGWINCH in heard:
            self._drawn = []
            self._say("\x1b[2J")

    def _say(self, text: str) -> None:
        write(text, end="")
        sys.stdout.flush()


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
