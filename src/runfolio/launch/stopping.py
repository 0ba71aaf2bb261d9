"""Decide what a signal that reached the launcher means for the script."""

from __future__ import annotations

import signal
from collections.abc import Callable

from runfolio.launch.signals import STOPS

SAME_S = 0.2
"""Signals of one number so close together are one: `timeout` sends each twice, to its child and to the group."""

_ESCALATION = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


class Stopping:
    """Who asked the script to stop, and what comes next. It sends nothing itself.

    A first interrupt is the script's own to handle, the second is a SIGTERM, the third ends it. SIGTERM and SIGHUP are passed on, and end the
    script when it takes longer than `grace_s`. SIGUSR1 and its like are passed on.
    """

    def __init__(self, grace_s: float) -> None:
        self.asked: int | None = None  # the first signal that asked for the end
        self.kill_at_s: float | None = None
        self._grace_s = grace_s
        self._interrupts = 0
        self._heard_s: dict[int, float] = {}

    def hear(self, number: int, now_s: float, has_it: Callable[[int], bool]) -> int | None:
        """Take in a signal; give the one to send to the script, None where none is due.

        Args:
            has_it: says whether the script has had this signal too, as the whole process group has.
        """
        before = self._heard_s.get(number)
        self._heard_s[number] = now_s
        if before is not None and now_s - before < SAME_S:
            return None
        if number in STOPS and self.asked is None:
            self.asked = number
        if number in (signal.SIGTERM, signal.SIGHUP) and self.kill_at_s is None:
            self.kill_at_s = now_s + self._grace_s
        if number == signal.SIGINT:
            self._interrupts += 1
            if self._interrupts > 1:
                return _ESCALATION[min(self._interrupts, len(_ESCALATION)) - 1]
        return None if has_it(number) else number

    def patience_s(self, now_s: float) -> float | None:
        """Give how long to wait for what is due next."""
        return None if self.kill_at_s is None else max(0.0, self.kill_at_s - now_s)

    def due(self, now_s: float) -> int | None:
        """Give the signal whose time has come."""
        if self.kill_at_s is None or now_s < self.kill_at_s:
            return None
        self.kill_at_s = None
        return signal.SIGKILL
