"""Count what a writer could not keep, until it can be told."""

from __future__ import annotations

import os
from typing import Any, NamedTuple


class Lost(NamedTuple):
    """What could not be kept. `points` counts values, `calls` calls of `log`, `events` all other events."""

    points: int = 0
    calls: int = 0
    events: int = 0


class Loss:
    """The running count, what of it stands in a journal already, and the causes in words."""

    __slots__ = ("causes", "since_ns", "told", "total")

    def __init__(self) -> None:
        self.total = self.told = Lost()
        self.causes: set[str] = set()
        self.since_ns = 0

    @property
    def untold(self) -> bool:
        return self.told != self.total

    def add(self, points: int, events: int, now_ns: int) -> None:
        """Count one call with so many points, or an event."""
        if not self.untold:
            self.since_ns = now_ns
        have = self.total
        self.total = Lost(have.points + points, have.calls + (points > 0), have.events + events)

    def note(self, trouble: OSError) -> str:
        """Keep the cause and put it in words."""
        cause = os.strerror(trouble.errno) if trouble.errno else str(trouble)
        self.causes.add(cause)
        return cause

    def body(self) -> dict[str, Any]:
        """Give the event that tells of all since the last one."""
        return {
            "type": "lost",
            "points": self.total.points - self.told.points,
            "calls": self.total.calls - self.told.calls,
            "events": self.total.events - self.told.events,
            "cause": ", ".join(sorted(self.causes)),
            "since_ns": self.since_ns,
        }
