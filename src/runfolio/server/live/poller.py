"""Look at a store twice a second while somebody listens, and wake those who do.

One poller for each store, however many listen. What it knows stays when the last one has gone: who comes back gets what has changed meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterable
from weakref import WeakKeyDictionary, WeakSet

from runfolio.errors import RunfolioError
from runfolio.model.clock import SYSTEM_CLOCK, Clock
from runfolio.query.store import Store
from runfolio.server import limits
from runfolio.server.errors import Refused
from runfolio.server.keeper import LONG_S
from runfolio.server.live.board import Board
from runfolio.server.live.listener import Listener, event_id
from runfolio.server.live.looker import Looker, News, Wanted
from runfolio.server.served import Served

EVERY_S = 0.5
_TROUBLE_EVERY_S = 5.0
_TRUSTED_S = 5.0  # questions leave the looking at all runs to us until some looks later
LOG = logging.getLogger("runfolio.server")


class Poller:
    """Looks at one store.

    Contract: on one event loop; the looking itself runs on a thread, one look at a time.
    """

    def __init__(self, served: Served, clock: Clock = SYSTEM_CLOCK) -> None:
        self.epoch = os.urandom(4).hex()
        """Of what the turns count in: another one when the server starts anew."""
        self.board = Board()
        self.looks = 0
        self._served = served
        self._looker = Looker(served.layout, clock)
        self._listeners: set[Listener] = set()
        self._hinted: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._looking: asyncio.Future[None] | None = None
        self._first: asyncio.Future[None] | None = None
        self._rouse = asyncio.Event()

    async def known_turn(self) -> str:
        """Give where the news stand, as the id of an event: who asks later for what came since misses nothing.

        Where nobody has listened yet it looks first, once for all who ask: from then on it is known what changes.

        Raises:
            Refused, RunfolioError: as a question to the store.
        """
        if not self.looks:
            if self._first is None or self._first.done():
                self._first = asyncio.ensure_future(self.look())
            await asyncio.shield(self._first)
        return event_id(self.epoch, self.board.turn)

    def join(self, listener: Listener) -> None:
        """Let somebody listen, and begin to look where that is the first.

        Raises:
            Refused: 503, as many listen as may.
        """
        if sum(len(poller._listeners) for poller in _ALL) >= limits.STREAMS_MAX:
            raise Refused(
                503, "Busy", f"{limits.STREAMS_MAX} pages listen already; close some of them", [("Retry-After", "5")]
            )
        self._listeners.add(listener)
        if self._task is None:
            self._rouse.clear()
            self._task = asyncio.get_running_loop().create_task(self._run())
        self._rouse.set()

    def leave(self, listener: Listener) -> None:
        """Let somebody go, and stop looking where that was the last."""
        self._listeners.discard(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    def hint(self, runs: Iterable[str]) -> None:
        """Tell of runs that were changed from here: they are looked at with the next look."""
        if self._listeners:
            self._hinted.update(runs)

    # ---------------------------------------------------------------- looking

    async def _run(self) -> None:
        wait_s = EVERY_S
        while True:
            try:
                self._rouse.clear()
                await self.look()
                wait_s = EVERY_S
            except (RunfolioError, Refused, OSError) as trouble:  # the store is not there, or still being read
                LOG.debug("cannot look at %s: %s", self._served.name, trouble)
                wait_s = EVERY_S if isinstance(trouble, Refused) else _TROUBLE_EVERY_S
            except Exception:
                LOG.exception("a mistake of ours while looking at %s", self._served.name)
                wait_s = _TROUBLE_EVERY_S
            await self._pause(wait_s)

    async def _pause(self, wait_s: float) -> None:
        """Wait for the next look; who has just come is not kept waiting."""
        try:
            await asyncio.wait_for(self._rouse.wait(), wait_s)
        except TimeoutError:
            pass

    async def look(self) -> None:
        """Look once, and wake those for whom there is something. One look begins when the one before has ended, also where nobody waits for that."""
        while self._looking is not None and not self._looking.done():
            await asyncio.wait([self._looking])
        self._looking = asyncio.ensure_future(self._look_once())
        await asyncio.shield(self._looking)

    async def _look_once(self) -> None:
        wanted = self._wanted()
        news = await self._served.follow(lambda store: self._look(store, wanted))
        self._hinted -= wanted.hinted
        self.looks += 1
        moved = self.board.post(news)
        for listener in self._listeners:
            if moved or not listener.is_greeted:
                listener.wake(wanted)

    def _look(self, store: Store, wanted: Wanted) -> News:
        news = self._looker.look(store, wanted)
        if store.look_cost_s > LONG_S:
            store.trust(_TRUSTED_S)
        return news

    def _wanted(self) -> Wanted:
        metrics = frozenset(metric for one in self._listeners for metric in one.metrics)
        outputs = frozenset(run for one in self._listeners for run in one.outputs)
        return Wanted(metrics, outputs, frozenset(self._hinted))


_POLLERS: WeakKeyDictionary[Served, Poller] = WeakKeyDictionary()
_ALL: WeakSet[Poller] = WeakSet()


def poller_of(served: Served) -> Poller:
    """Give the poller of a store."""
    found = _POLLERS.get(served)
    if found is None:
        found = _POLLERS[served] = Poller(served)
        _ALL.add(found)
    return found
