"""A clock that stands still until it is told to move."""

from __future__ import annotations

SECOND_NS = 1_000_000_000


class ManualClock:
    """A `Clock` for tests: both of its readings move only by `pass_s` and `set_wall`."""

    def __init__(self, wall_ns: int = 1_750_000_000 * SECOND_NS, boot_ns: int = 1_000 * SECOND_NS) -> None:
        self._wall_ns = wall_ns
        self._boot_ns = boot_ns

    def wall_ns(self) -> int:
        return self._wall_ns

    def boot_ns(self) -> int:
        return self._boot_ns

    def pass_s(self, seconds: float) -> None:
        """Let time pass, on both."""
        self.pass_ns(round(seconds * SECOND_NS))

    def pass_ns(self, nanoseconds: int) -> None:
        """Let time pass, on both."""
        if nanoseconds < 0:
            raise ValueError("boot time does not go back; set_wall does")
        self._wall_ns += nanoseconds
        self._boot_ns += nanoseconds

    def set_wall(self, wall_ns: int) -> None:
        """Set the wall clock, as an administrator, NTP or a time zone does; boot time goes on undisturbed."""
        self._wall_ns = wall_ns
