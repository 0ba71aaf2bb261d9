"""Time: what the wall says, and what has passed since boot."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol


class Clock(Protocol):
    """Two readings of time, both in nanoseconds.

    Contract: callable from any thread and after a fork. `wall_ns` may jump in both directions; `boot_ns` never goes
    back while the machine is up, and goes on through a suspend where the system can tell.
    """

    def wall_ns(self) -> int: ...

    def boot_ns(self) -> int: ...


# Linux only; elsewhere the monotonic clock stands still while the machine sleeps, which bends times and never order.
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)
_boot_ns: Callable[[], int] = time.monotonic_ns if _BOOTTIME is None else partial(time.clock_gettime_ns, _BOOTTIME)


class SystemClock:
    """The clocks of the machine. Plain functions, without a Python frame: the hot path reads one at each call."""

    __slots__ = ()

    wall_ns = staticmethod(time.time_ns)
    boot_ns = staticmethod(_boot_ns)


SYSTEM_CLOCK = SystemClock()


class LaterClock:
    """The machine's clocks, for who must be later than something: where the wall says otherwise, it goes on from there."""

    __slots__ = ("_after_ns",)

    boot_ns = staticmethod(_boot_ns)

    def __init__(self, after_ns: int) -> None:
        self._after_ns = after_ns

    def wall_ns(self) -> int:
        return max(time.time_ns(), self._after_ns + 1)


class WriterClock:
    """The time of one writer: the wall as it was at the opening, plus what has passed since.

    So a wall clock that is set back or forward while the run goes on moves no point. The writers of a process agree to the nanosecond, and between
    two readings of clocks lies no pause: else the calls of two writers would be put into another order than they were made in.
    """

    __slots__ = ("boot_ns", "offset_ns", "opened_ns")

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.boot_ns = clock.boot_ns
        self.offset_ns, boot_ns = _offset(clock)
        if clock is SYSTEM_CLOCK:
            self.offset_ns = _agreed(self.offset_ns)
        self.opened_ns = self.offset_ns + boot_ns

    def now_ns(self) -> int:
        """Tell the time, ns since 1970; never earlier than the call before."""
        return self.offset_ns + self.boot_ns()


_TRIES, _PAUSE_NS = 4, 20_000
_SET_NS = 1_000_000  # a wall clock that is further off was set meanwhile

_agreed_ns: int | None = None


def _offset(clock: Clock) -> tuple[int, int]:
    """Give the wall less the boot clock, and the boot clock: read again where something came between the two readings."""
    best: tuple[int, int, int] | None = None
    for _ in range(_TRIES):
        before, wall = clock.boot_ns(), clock.wall_ns()
        pause = clock.boot_ns() - before
        if best is None or pause < best[0]:
            best = (pause, wall - before - pause // 2, before)
        if pause < _PAUSE_NS:
            break
    assert best is not None
    return best[1], best[2]


def _agreed(offset_ns: int) -> int:
    """Give the offset that this process has used before, unless the wall clock was set since."""
    global _agreed_ns
    if _agreed_ns is None or abs(offset_ns - _agreed_ns) > _SET_NS:
        _agreed_ns = offset_ns
    return _agreed_ns
