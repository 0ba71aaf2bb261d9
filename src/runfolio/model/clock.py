"""Time: what the wall says, and what has passed since boot."""

from __future__ import annotations

import time
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


class SystemClock:
    """The clocks of the machine."""

    __slots__ = ()

    def wall_ns(self) -> int:
        """Read the wall clock: ns since 1970, UTC."""
        return time.time_ns()

    def boot_ns(self) -> int:
        """Read the clock that counts from boot."""
        return time.monotonic_ns() if _BOOTTIME is None else time.clock_gettime_ns(_BOOTTIME)


SYSTEM_CLOCK = SystemClock()


class WriterClock:
    """The time of one writer: the wall as it was at the opening, plus what has passed since.

    So a wall clock that is set back or forward while the run goes on moves no point.
    """

    __slots__ = ("_boot_ns", "_clock", "_offset_ns", "opened_ns")

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._boot_ns = clock.boot_ns
        self.opened_ns = clock.wall_ns()
        self._offset_ns = self.opened_ns - clock.boot_ns()

    def now_ns(self) -> int:
        """Tell the time, ns since 1970; never earlier than the call before."""
        return self._offset_ns + self._boot_ns()
