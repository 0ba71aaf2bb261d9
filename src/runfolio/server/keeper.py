"""Keep a store as the disk is while somebody asks, so that no question has to look at the folders of very many runs.

A look at 10,000 runs takes a tenth of a second; it is made beside the questions, seldom enough to cost little, and the questions look at new and
running runs only. A store that is looked at in no time is left to the questions.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from runfolio.errors import RunfolioError

if TYPE_CHECKING:
    from runfolio.query.store import Store

LONG_S = 0.01
"""A look that takes longer is not made by a question where another one makes it."""
STAYS_S = 15.0
"""Who has asked is taken to be there for so long."""
_EVERY_S, _SELDOM_S = 0.5, 10.0
_PATIENCE = 50
"""What a look has cost is spent so many times on waiting: a fiftieth of a core at most, but for stores so big that this would be too seldom."""
_SLACK_S = 10.0  # a busy machine may come later to the next look


class Keeper:
    """Looks at a store while somebody asks.

    Contract: on one event loop; the looking itself runs on a thread of its own.
    """

    def __init__(self, long_s: float = LONG_S) -> None:
        self._long_s = long_s
        self._asked_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def rouse(self, store: Store) -> None:
        """Tell that somebody asks; begin to look where looking takes long."""
        self._asked_s = asyncio.get_running_loop().time()
        if self._task is None and store.look_cost_s > self._long_s:
            self._task = asyncio.get_running_loop().create_task(self._look(store))

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _look(self, store: Store) -> None:
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, "runfolio-look")
        try:
            while loop.time() - self._asked_s < STAYS_S:
                cost_s = await loop.run_in_executor(thread, store.refresh)
                wait_s = min(max(_EVERY_S, cost_s * _PATIENCE), _SELDOM_S)
                store.trust(wait_s + _SLACK_S)
                await asyncio.sleep(wait_s)
        except (RunfolioError, OSError):
            pass  # the next question meets the same, and tells it
        finally:
            self._task = None
            thread.shutdown(wait=False)
