"""One event of a run, as its journal tells it."""

from __future__ import annotations

from typing import Any, NamedTuple

OrderKey = tuple[int, int, str, int]


class Event(NamedTuple):
    """What an event frame holds, with what its journal knows about it. Source: docs/formats/events.md."""

    body: dict[str, Any]
    time_ns: int
    attempt: int
    journal: str
    seq: int
    rank: int | None
    role: str

    @property
    def type(self) -> str:
        """The type of the event; empty where the body has none."""
        found = self.body.get("type") if isinstance(self.body, dict) else None
        return found if isinstance(found, str) else ""

    @property
    def order_key(self) -> OrderKey:
        """The place of this event among all of its run; no two events of a run share one."""
        return (self.attempt, self.time_ns, self.journal, self.seq)
