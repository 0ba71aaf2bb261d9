"""One page that listens: what it wants to know, what it knows already, and the words of its stream.

Source: HTML Living Standard, section 9.2, Server-sent events.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from runfolio.query.standing import Newest
from runfolio.server.answers import encoded
from runfolio.server.live.board import Board, Change
from runfolio.server.live.looker import OutputSize, Wanted

COMMENT_EVERY_S = 20.0
_RETRY = b"retry: 1000\n\n"
_COMMENT = b":\n\n"
LAST = r"([0-9a-f]{8})-([0-9]{1,15})"
"""The form of an event's id."""


def event_id(epoch: str, turn: int) -> str:
    """Write the id of an event: up to which turn of which server somebody knows."""
    return f"{epoch}-{turn}"


class Listener:
    """A stream of events: what is new since this listener last took something, as often as it takes.

    Contract: on the event loop; for one reader, who closes it.

    Args:
        last: the id of the last event it has got, from an earlier stream, or up to which its answers know.
        anew: it may want other metrics than before, so their newest values are told once of all that runs.
        leave: told once when it is closed.
    """

    def __init__(
        self,
        board: Board,
        epoch: str,
        leave: Callable[[Listener], None],
        *,
        metrics: tuple[str, ...] = (),
        outputs: tuple[str, ...] = (),
        last: str | None = None,
        anew: bool = False,
    ) -> None:
        self.metrics, self.outputs = metrics, outputs
        self.is_greeted = False
        self._board, self._epoch, self._leave = board, epoch, leave
        self._last, self._anew = last, anew
        self._turn = 0
        self._told: dict[str, OutputSize] = {}
        self._woken = asyncio.Event()
        self._is_begun = False

    def wake(self, wanted: Wanted) -> None:
        """Hear of a look at all this.

        The first message waits for a look that has asked for what this listener wants.
        """
        if self.is_greeted or (wanted.metrics.issuperset(self.metrics) and wanted.outputs.issuperset(self.outputs)):
            self._woken.set()

    # ---------------------------------------------------------------- the stream

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> bytes:
        if not self._is_begun:
            self._is_begun = True
            return _RETRY
        while True:
            try:
                async with asyncio.timeout(COMMENT_EVERY_S):
                    await self._woken.wait()
            except TimeoutError:
                return _COMMENT
            self._woken.clear()
            if words := self.take():
                return words

    async def aclose(self) -> None:
        self._leave(self)

    def take(self) -> bytes:
        """Take what is new, in the words of the stream; nothing where nothing is."""
        was_greeted, self.is_greeted = self.is_greeted, True
        changes = self._changes() if was_greeted else self._greeting()
        self._turn = self._board.turn
        if changes is None:
            self._told = dict(self._board.outputs)
            return self._event("reset", {})
        words = self._event("runs", self._facts(changes)) if changes or not was_greeted else b""
        for id_ in self.outputs:
            size = self._board.outputs.get(id_)
            if size is not None and size != self._told.get(id_):
                self._told[id_] = size
                words += self._event("output", {"id": id_, "size": size.size_bytes, "file": f"{size.number:x}"})
        return words

    def _changes(self) -> list[Change] | None:
        return self._board.since(self._turn)

    def _greeting(self) -> list[Change] | None:
        """Give what has changed since the last event of an earlier stream; to a new listener all that runs."""
        if self._last is None:
            return self._board.running()
        found = re.fullmatch(LAST, self._last)
        if found is None or found[1] != self._epoch or int(found[2]) > self._board.turn:
            return None
        self._turn = int(found[2])
        changes = self._changes()
        return [*changes, *self._with_values(changes)] if self._anew and changes is not None else changes

    def _with_values(self, told: list[Change]) -> list[Change]:
        """Give the other running runs that have a value of what is wanted: it may be wanted for the first time."""
        known = {change.id for change in told}
        running = self._board.running() if self.metrics else []
        return [one for one in running if one.id not in known and one.seen and one.seen.values]

    # ---------------------------------------------------------------- words

    def _event(self, name: str, facts: dict[str, Any]) -> bytes:
        return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), self._id().encode(), encoded(facts))

    def _id(self) -> str:
        return event_id(self._epoch, self._turn)

    def _facts(self, changes: list[Change]) -> dict[str, Any]:
        return {"version": self._id(), "runs": [self._change(change) for change in changes]}

    def _change(self, change: Change) -> dict[str, Any]:
        seen = change.seen
        if seen is None:
            return {"id": change.id, "gone": True}
        told: dict[str, Any] = {"id": change.id, "status": seen.head.status}
        told |= {name: True for name in ("archived", "deleted") if getattr(seen.head, name)}
        if change.is_new:
            told["new"] = True
        if seen.step is not None:
            told["step"] = seen.step
        values = {metric: _point(seen.values[metric]) for metric in self.metrics if metric in seen.values}
        return told | {"values": values} if values else told


def _point(newest: Newest) -> list[Any]:
    return [newest.step, newest.value, newest.time_ns // 1_000_000]
