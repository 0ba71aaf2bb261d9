"""What is known of the runs, in the order in which it last changed: so each listener takes what is new to it, however long it was away.

There is no queue. Who takes nothing for a minute gets one message with the runs that have changed in it, each as it is now; so a listener that is
slow or was gone costs nothing, and memory is bounded by the number of runs.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import NamedTuple

from runfolio.model.states import RUNNING
from runfolio.server.live.looker import News, OutputSize, Seen

CHANGED_MAX = 1000
"""Runs in one message; where more have changed, all is asked anew."""
_GONE_MAX = 5000


class Posted(NamedTuple):
    """A run on the board, and when it came and last changed."""

    seen: Seen
    born: int
    changed: int


class Change(NamedTuple):
    """What is new of a run: `seen` is None where it is gone."""

    id: str
    seen: Seen | None
    is_new: bool


class Board:
    """The runs of a store.

    Contract: on the event loop.
    """

    def __init__(self) -> None:
        self.turn = 0
        """Counts the news."""
        self.outputs: dict[str, OutputSize] = {}
        self._runs: OrderedDict[str, Posted] = OrderedDict()
        self._gone: deque[tuple[int, str]] = deque(maxlen=_GONE_MAX)

    def post(self, news: News) -> bool:
        """Put up what is new; True where there was something."""
        for id_, seen in news.running.items():
            if id_ in self._runs and id_ not in news.changed:
                self._runs[id_] = self._runs[id_]._replace(seen=seen)
        moved = any(self.outputs.get(id_) != size for id_, size in news.outputs.items())
        self.outputs = news.outputs
        if not (news.changed or moved):
            return bool(news.running)
        self.turn += 1
        for id_, one in news.changed.items():
            self._post_one(id_, one)
        return True

    def _post_one(self, id_: str, seen: Seen | None) -> None:
        before = self._runs.pop(id_, None)
        if seen is not None:
            self._runs[id_] = Posted(seen, before.born if before else self.turn, self.turn)
        elif before is not None:
            self._gone.append((self.turn, id_))

    def since(self, turn: int) -> list[Change] | None:
        """Give what has changed since a turn; None where that is too much, or no longer known."""
        if len(self._gone) == _GONE_MAX and self._gone[0][0] > turn:
            return None
        found = [Change(id_, None, False) for at, id_ in self._gone if at > turn and id_ not in self._runs]
        for id_, posted in self._latest(turn):
            if len(found) == CHANGED_MAX:
                return None
            found.append(Change(id_, posted.seen, posted.born > turn))
        return found

    def _latest(self, turn: int) -> Iterator[tuple[str, Posted]]:
        for id_, posted in reversed(self._runs.items()):
            if posted.changed <= turn:
                return
            yield id_, posted

    def running(self) -> list[Change]:
        """Give the runs that run, of many those that changed last."""
        found = (
            Change(id_, posted.seen, False)
            for id_, posted in reversed(self._runs.items())
            if posted.seen.head.status == RUNNING
        )
        return [one for _, one in zip(range(CHANGED_MAX), found, strict=False)]
