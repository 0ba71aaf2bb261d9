"""A store that is being served: opened after the server listens, asked off the event loop."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from runfolio.errors import UsageError
from runfolio.server import limits
from runfolio.server.asked import Chosen
from runfolio.server.errors import Refused
from runfolio.server.keeper import Keeper
from runfolio.store.layout import STORE_NAME, Layout

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

T = TypeVar("T")
_TAKEN = frozenset({"api", "assets", "health"})


class Desk:
    """The threads that ask stores, and a bound on what waits for them.

    Contract: made and used on the event loop. What a thread has begun it brings to its end, also where nobody waits for it any more.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(limits.THREADS, "runfolio-ask")
        self._lock = Lock()
        self._asked = 0

    async def ask(self, act: Callable[[], T]) -> T:
        """Act on a thread.

        Raises:
            Refused: 503, too much waits already.
        """
        with self._lock:
            if self._asked >= limits.WAITING_MAX:
                raise Refused(503, "Busy", "too many questions at once; ask again in a moment", [("Retry-After", "1")])
            self._asked += 1
        future = self._threads.submit(act)
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    def _done(self, _: object) -> None:
        with self._lock:
            self._asked -= 1

    @property
    def idle(self) -> bool:
        """Whether nothing is being asked."""
        return not self._asked

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class Served:
    """A store with the name that its pages bear.

    Contract: `begin` and `ask` on the event loop; what is given to `ask` runs on a thread, several of them at once.
    """

    def __init__(self, layout: Layout, name: str) -> None:
        self.layout, self.name = layout, name
        self.reading: tuple[int, int] | None = None
        """How many runs were read of how many, while the store is read for the first time."""
        self.first_chart: str | None = None
        """What the large chart of its first page asks, where that is known (ahead.py)."""
        self._store: Store | None = None
        self._opening: asyncio.Future[Store] | None = None
        self._desk: Desk | None = None
        self._keeper = Keeper()

    def begin(self, desk: Desk) -> None:
        """Begin to open the store, on a thread of its own: reading many runs for the first time takes a while."""
        self._desk = desk
        if self._store is None and self._opening is None:
            loop = asyncio.get_running_loop()
            opener = ThreadPoolExecutor(1, "runfolio-open")
            self._opening = asyncio.ensure_future(loop.run_in_executor(opener, self._open))
            self._opening.add_done_callback(self._opened)
            opener.shutdown(wait=False)

    def _open(self) -> Store:
        from runfolio.query.store import Store  # SQLite: not before the server listens

        return Store(self.layout, on_progress=self._progress, light=True)

    def _progress(self, done: int, all: int) -> None:
        self.reading = (done, all)

    def _opened(self, opening: asyncio.Future[Store]) -> None:
        self._opening, self.reading = None, None
        if not opening.cancelled() and opening.exception() is None:
            self._store = opening.result()

    async def ask(self, act: Callable[[Store], T]) -> T:
        """Ask the store, on a thread.

        Raises:
            Refused: 503, it is still being read, or too much waits already. StoreNotFound, Unreadable: there is none that can be opened.
        """
        store = self._store or await self._wait()
        self._keeper.rouse(store)
        return await self._asked(store, act)

    async def follow(self, act: Callable[[Store], T]) -> T:
        """Ask the store as `ask`, but for what looks at it all the time by itself: that is nobody who waits for an answer."""
        return await self._asked(self._store or await self._wait(), act)

    async def _asked(self, store: Store, act: Callable[[Store], T]) -> T:
        assert self._desk is not None
        return await self._desk.ask(lambda: act(store))

    async def _wait(self) -> Store:
        """Wait a little for the store; where there was none, look again."""
        assert self._desk is not None, "begin comes first"
        self.begin(self._desk)
        assert self._opening is not None
        try:
            return await asyncio.wait_for(asyncio.shield(self._opening), limits.OPENING_WAIT_S)
        except TimeoutError:
            done, all_ = self.reading or (0, 0)
            words = f"; {done:,} of {all_:,} runs are done" if all_ else ""
            raise Refused(
                503,
                "Opening",
                f"the store is being read for the first time{words}",
                [("Retry-After", "1")],
                done=done,
                all=all_,
            ) from None

    @property
    def writable(self) -> bool:
        """Whether edits can be written."""
        return os.access(self.layout.runs, os.W_OK)

    def close(self) -> None:
        """Let go of the store, unless a question still holds it: its end is not waited for."""
        self._keeper.stop()
        if self._store is not None and self._desk is not None and self._desk.idle:
            self._store.close()


def chosen(store: Store, asked: Chosen, sort: str | None = None) -> list[Run]:
    """Give the runs that a request is about: those named, in that order, else those that fit its filter, newest first or as sorted.

    They are held lightly: `whole` of query.packed gives those of which more is asked.

    Raises:
        UsageError: both. FilterError. RunNotFound, AmbiguousRun: a run that was named.
    """
    if asked.runs is not None:
        if asked.q is not None:
            raise UsageError("name runs, or choose them by q; not both")
        from runfolio.query.named import runs_named  # as the store: not before the server listens

        return runs_named(store, asked.runs.split(","))
    return store.runs(asked.q or None, sort=sort, archived=asked.archived, deleted=asked.deleted)


def serve_all(layouts: Iterable[Layout]) -> list[Served]:
    """Give each store a name of its own: that of the project folder that holds it."""
    found: dict[str, Served] = {}
    roots = set()
    for layout in layouts:
        root = os.path.realpath(layout.root)
        if root in roots:
            continue
        roots.add(root)
        name = base = _name_of(layout.root)
        number = 1
        while name in found or name in _TAKEN:
            number += 1
            name = f"{base}-{number}"
        found[name] = Served(layout, name)
    return list(found.values())


def _name_of(root: str) -> str:
    folder, last = os.path.split(os.path.abspath(root))
    name = os.path.basename(folder) if last == STORE_NAME else last
    try:
        name.encode()
    except UnicodeEncodeError:
        name = name.encode(errors="replace").decode()
    return re.sub(r"[^\w.\-]+", "-", name).strip("-.")[:60] or "store"
