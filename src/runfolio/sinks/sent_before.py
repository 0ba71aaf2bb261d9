"""Know what was sent to a sink, by this feed and those before it, so that another attempt sends only what is new."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runfolio.model.events import Event
from runfolio.sinks.delivery import counts
from runfolio.sinks.memory import Memory

if TYPE_CHECKING:
    from runfolio.store.follow import Entry

KEEP_EVERY_S = 2.0


class SentBefore:
    """How far each writer's entries were sent, by this feed and those before it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        kept = memory.get("sent")
        self._before: dict[str, int] = kept if isinstance(kept, dict) else {}
        self._upto = dict(self._before)
        self._taken: dict[str, int] = {}
        self._kept_at = time.monotonic()

    def sift(self, entries: Sequence[Entry]) -> list[Entry]:
        """Leave out what an earlier feed has sent. Params and the like are told anew: they do no harm twice."""
        fresh = []
        for entry in entries:
            writer = _writer(entry)
            if _is_told_once(entry) and entry.seq <= self._before.get(writer, -1):
                continue
            fresh.append(entry)
            self._taken[writer] = max(entry.seq, self._taken.get(writer, -1))
        return fresh

    def settle(self) -> None:
        """All that was taken is sent now, or dropped."""
        for writer, seq in self._taken.items():
            self._upto[writer] = max(seq, self._upto.get(writer, -1))
        self._taken.clear()
        if time.monotonic() - self._kept_at >= KEEP_EVERY_S:
            self.keep()

    def keep(self) -> None:
        self._kept_at = time.monotonic()
        try:
            self._memory.set(sent=self._upto)
        except OSError:  # the next attempt sends some points twice: told in the docs
            pass


def _is_told_once(entry: Entry) -> bool:
    return bool(counts(entry)) or (isinstance(entry, Event) and entry.type == "attempt")


def _writer(entry: Entry) -> str:
    return entry.journal if isinstance(entry, Event) else entry.writer
