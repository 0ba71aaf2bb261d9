"""See what has changed in a store: running runs by their own journals each time, new runs where `runs/` has changed, the others by and by.

Cost: two system calls each half second for a running run that has told nothing; for each other run one every 20 s, spread over the looks between.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from runfolio.errors import NotFound
from runfolio.model.clock import Clock
from runfolio.model.ids import is_id
from runfolio.model.states import LOST, RUNNING
from runfolio.query.standing import Head, Newest, Standing, heads, look_at
from runfolio.query.store import Store
from runfolio.server.live.running import RunningRun
from runfolio.server.safe_files import open_below
from runfolio.store.layout import Layout

WHOLE_EVERY_NS = 300 * 10**9
"""What no folder of the store tells, as a part of a run in the spool, is found so late."""
ROUND_LOOKS = 40
"""In so many looks each folder is looked at once."""
_AT_ONCE = 200
"""Runs that the index looks at in one look; the rest wait for the next."""
_LOST_AT_ONCE = 10
_YOUNG_NS = 2 * 10**9  # a folder so young may have changed again within the same time, or its journal not be whole yet
_PATIENCE = 40
"""What a look at one run has cost is spent again so many times on waiting, so that runs which tell much besides numbers take 2.5 % at most."""

Values = dict[str, Newest]
_NONE: Values = {}  # never written to


class Wanted(NamedTuple):
    """What those who listen want to know."""

    metrics: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    hinted: frozenset[str] = frozenset()
    """Runs that have just been changed from here."""


class Seen(NamedTuple):
    """A run that has changed, or that is running."""

    head: Head
    step: int | None = None
    values: Values = _NONE


class OutputSize(NamedTuple):
    """How long an output is, and the number of its file."""

    size_bytes: int
    number: int


Changed = dict[str, Seen | None]


class News(NamedTuple):
    """What one look has found."""

    changed: Changed
    """By run; None for one that is gone."""
    running: dict[str, Seen]
    """All that run, where a metric is wanted that was not before."""
    outputs: dict[str, OutputSize]


class Looker:
    """Remembers how the runs stood.

    Contract: for one thread at a time.
    """

    def __init__(self, layout: Layout, clock: Clock) -> None:
        self._layout, self._clock = layout, clock
        self._runs = layout.runs
        self._heads: dict[str, Head] = {}
        self._folders: dict[str, int] = {}
        """The time of each run's folder of journals when it was last looked into."""
        self._running: dict[str, RunningRun] = {}
        self._due: dict[str, None] = {}
        """Runs that the index must look at, in their order."""
        self._round: Iterator[str] = iter(())
        self._whole_ns: int | None = None
        self._runs_ns = -1
        self._not_before_ns: dict[str, int] = {}
        self._metrics: frozenset[str] = frozenset()

    def look(self, store: Store, wanted: Wanted) -> News:
        """See what has changed since the last look.

        Raises:
            OSError, RunfolioError: the store cannot be read; what was known stays.
        """
        self._layout.store_id()  # where a disk is not there, its runs are not gone
        changed: Changed = {}
        self._due.update(dict.fromkeys(wanted.hinted))
        now = self._clock.boot_ns()
        if self._whole_ns is None or now - self._whole_ns >= WHOLE_EVERY_NS:
            self._whole_ns = now
            self._look_at_all(store, changed)
        else:
            self._due.update(dict.fromkeys((*self._come_and_gone(), *self._touched())))
        due = list(islice(self._due, _AT_ONCE))
        for id_ in due:
            del self._due[id_]
        self._look_at(store, due, wanted, changed)
        self._follow(store, wanted, changed)
        running = {} if wanted.metrics <= self._metrics else self._all_running(wanted)
        self._metrics = wanted.metrics
        outputs = {id_: size for id_ in wanted.outputs if (size := _output_of(self._layout, id_))}
        return News(changed, running, outputs)

    # ---------------------------------------------------------------- which runs there are

    def _look_at_all(self, store: Store, changed: Changed) -> None:
        """Compare all runs with what was known. Of those that run, or have run till now, more is asked."""
        self._runs_ns = -1  # a store looks twice a second at most: the next listing tells what it may not know yet
        found = heads(store)
        for id_ in found.keys() | self._heads.keys():
            head, folder_ns = found.get(id_, (None, 0))
            if head == self._heads.get(id_):
                continue
            if head is None or id_ in self._running or head.status == RUNNING:
                self._due[id_] = None
            else:
                self._heads[id_], self._folders[id_] = head, folder_ns
                changed[id_] = Seen(head)

    def _come_and_gone(self) -> set[str]:
        """Give the runs whose folders have come or gone."""
        stamp = self._stamp()
        if stamp == self._runs_ns:
            return set()
        self._runs_ns = stamp if stamp < self._clock.wall_ns() - _YOUNG_NS else -1
        try:
            return {name for name in os.listdir(self._runs) if is_id(name)} ^ self._heads.keys()
        except OSError:
            return set()

    def _touched(self) -> list[str]:
        """Look at the next folders of the round; give those that have changed, and some of the runs that are lost, as they may come back."""
        found, lost = [], 0
        for id_ in self._next_of_round():
            if self._folder_ns(id_) != self._folders[id_]:
                found.append(id_)
            elif self._heads[id_].status == LOST and lost < _LOST_AT_ONCE:
                lost += 1
                found.append(id_)
        return found

    def _next_of_round(self) -> Iterator[str]:
        share = -(-len(self._heads) // ROUND_LOOKS)
        some = list(islice(self._round, share))
        if len(some) < share:
            self._round = iter(list(self._heads))
        return (id_ for id_ in some if id_ in self._heads and id_ not in self._running)

    def _stamp(self) -> int:
        try:
            return os.stat(self._runs).st_mtime_ns
        except OSError:
            return 0

    def _folder_ns(self, id_: str) -> int:
        try:
            return os.stat(f"{self._runs}/{id_}/journal").st_mtime_ns
        except OSError:
            return 0

    def _look_at(self, store: Store, ids: Iterable[str], wanted: Wanted, changed: Changed) -> None:
        for id_, standing in look_at(store, ids).items():
            if standing is not None:
                self._take(id_, standing, wanted, changed)
            elif self._heads.pop(id_, None) is not None:
                self._running.pop(id_, None)
                self._folders.pop(id_, None)
                changed[id_] = None

    def _take(self, id_: str, standing: Standing, wanted: Wanted, changed: Changed) -> None:
        """Take in how a run stands by the index."""
        run = self._running.pop(id_, None)
        if run is None:
            run = RunningRun(self._layout, id_, standing, self._clock)
        else:
            run.take(standing)
        if standing.head.status == RUNNING:
            self._running[id_] = run
        elif standing.folder_ns > self._clock.wall_ns() - _YOUNG_NS:
            self._due[id_] = None
        self._folders[id_] = standing.folder_ns
        if self._heads.get(id_) != standing.head:
            self._heads[id_] = standing.head
            changed[id_] = _seen(run, wanted)

    # ---------------------------------------------------------------- those that run

    def _follow(self, store: Store, wanted: Wanted, changed: Changed) -> None:
        for id_, run in list(self._running.items()):
            if run.poll():
                changed[id_] = _seen(run, wanted)
            begin_ns = self._clock.boot_ns()
            if run.has_other_journals() or (run.is_behind() and begin_ns >= self._not_before_ns.get(id_, 0)):
                self._look_at(store, (id_,), wanted, changed)
                end_ns = self._clock.boot_ns()
                self._not_before_ns[id_] = end_ns + (end_ns - begin_ns) * _PATIENCE * len(self._running)
        self._not_before_ns = {id_: at for id_, at in self._not_before_ns.items() if id_ in self._running}

    def _all_running(self, wanted: Wanted) -> dict[str, Seen]:
        return {id_: _seen(run, wanted) for id_, run in self._running.items()}


def _seen(run: RunningRun, wanted: Wanted) -> Seen:
    values = {metric: newest for metric in wanted.metrics if (newest := run.newest(metric)) is not None}
    return Seen(run.head, run.step, values)


def _output_of(layout: Layout, run_id: str) -> OutputSize | None:
    try:
        with open_below(layout.root, "runs", run_id, "output.log") as file:
            return OutputSize(file.size_bytes, file.number)
    except NotFound:
        return None
