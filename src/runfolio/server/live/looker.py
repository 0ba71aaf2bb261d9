"""See what has changed in a store: running runs by their own journals each time, new runs where `runs/` has changed, all of it now and then.

Cost: two system calls for a running run that has told nothing; a stat and a row for each run of the store every 10 s.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from runfolio.errors import NotFound
from runfolio.model.clock import Clock
from runfolio.model.ids import is_id
from runfolio.model.states import RUNNING
from runfolio.query.standing import Head, Newest, Standing, heads, look_at
from runfolio.query.store import Store
from runfolio.server.live.running import RunningRun
from runfolio.server.safe_files import open_below
from runfolio.store.layout import Layout

WHOLE_EVERY_NS = 10 * 10**9
_FEW = 200
_RACY_NS = 10**9  # a time of change so young may stand for a second change
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
        self._heads: dict[str, Head] = {}
        self._running: dict[str, RunningRun] = {}
        self._young: set[str] = set()
        """Folders in which there was no journal yet."""
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
        now = self._clock.boot_ns()
        if self._whole_ns is None or now - self._whole_ns >= WHOLE_EVERY_NS:
            self._whole_ns = now
            suspects = self._look_at_all(store, changed)
        else:
            suspects = self._suspects()
        self._look_at(store, suspects | wanted.hinted, wanted, changed)
        self._follow(store, wanted, changed)
        running = {} if wanted.metrics <= self._metrics else self._all_running(wanted)
        self._metrics = wanted.metrics
        outputs = {id_: size for id_ in wanted.outputs if (size := _output_of(self._layout, id_))}
        return News(changed, running, outputs)

    # ---------------------------------------------------------------- which runs there are

    def _look_at_all(self, store: Store, changed: Changed) -> set[str]:
        """Compare all runs with what was known; give those of which more must be asked, as they run or have run till now."""
        self._runs_ns = self._stamp()
        self._young.clear()
        found, more = heads(store), set()
        for id_ in found.keys() | self._heads.keys():
            head = found.get(id_)
            if head == self._heads.get(id_):
                continue
            if id_ in self._running or (head is not None and head.status == RUNNING):
                more.add(id_)
            elif head is None:
                del self._heads[id_]
                changed[id_] = None
            else:
                self._heads[id_] = head
                changed[id_] = Seen(head)
        return more

    def _suspects(self) -> set[str]:
        """Give the runs whose folders have come or gone, as far as a listing of names tells."""
        stamp = self._stamp()
        if stamp == self._runs_ns:
            return set(self._young)
        self._runs_ns = stamp if stamp < self._clock.wall_ns() - _RACY_NS else -1
        try:
            names = {name for name in os.listdir(self._layout.runs) if is_id(name)}
        except OSError:
            return set()
        differ = names ^ self._heads.keys()
        if len(differ) <= _FEW:
            return differ
        self._whole_ns = None  # the next look is at all of them
        return set()

    def _stamp(self) -> int:
        try:
            return os.stat(self._layout.runs).st_mtime_ns
        except OSError:
            return 0

    def _look_at(self, store: Store, ids: Iterable[str], wanted: Wanted, changed: Changed) -> None:
        for id_, standing in look_at(store, ids).items():
            self._young.discard(id_)
            if standing is not None:
                self._take(id_, standing, wanted, changed)
            elif self._heads.pop(id_, None) is not None:
                self._running.pop(id_, None)
                changed[id_] = None
            elif os.path.isdir(self._layout.run(id_)):
                self._young.add(id_)

    def _take(self, id_: str, standing: Standing, wanted: Wanted, changed: Changed) -> None:
        """Take in how a run stands by the index."""
        run = self._running.pop(id_, None)
        if run is None:
            run = RunningRun(self._layout, id_, standing, self._clock)
        else:
            run.take(standing)
        if standing.head.status == RUNNING:
            self._running[id_] = run
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
