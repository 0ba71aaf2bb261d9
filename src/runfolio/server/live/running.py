"""One running run, read on from where the index left it: its newest points, and whether the index must look at it again."""

from __future__ import annotations

import os

from runfolio.journal import identity
from runfolio.model.clock import Clock
from runfolio.query.standing import Head, Newest, Standing, highest_step, newest_of
from runfolio.server.live.tail import Tail
from runfolio.store import watch
from runfolio.store.layout import Layout
from runfolio.store.liveness import look_again
from runfolio.store.watch import Here, Watched

_JUDGE_EVERY = 6  # looks: a process that is gone is noticed after three seconds


class RunningRun:
    """Follows a run.

    Contract: for one thread.
    """

    def __init__(self, layout: Layout, run_id: str, standing: Standing, clock: Clock) -> None:
        self.run_id = run_id
        self._folder = layout.run_journal(run_id)
        self._clock = clock
        self._turn = 0
        self.take(standing)

    def take(self, standing: Standing) -> None:
        """Begin anew from what the index knows now."""
        self._standing = standing
        self._step = highest_step(standing)
        self._known: dict[str, Newest | None] = {}
        self._journals = [(watched, Tail.of(watched)) for watched in standing.open]

    @property
    def head(self) -> Head:
        return self._standing.head

    @property
    def step(self) -> int | None:
        """The highest step of any metric."""
        steps = [self._step, *(tail.step for _, tail in self._journals if tail is not None)]
        return max((step for step in steps if step is not None), default=None)

    def newest(self, metric: str) -> Newest | None:
        """Give the last point of a metric."""
        if metric not in self._known:
            self._known[metric] = newest_of(self._standing, metric)
        found = self._known[metric]
        for _, tail in self._journals:
            came = tail.newest(metric) if tail is not None else None
            if came is not None and (found is None or found.step is None or (came.step or 0) >= found.step):
                found = came
        return found

    def poll(self) -> bool:
        """Take in what has come; True where there were points."""
        moved = [tail.poll() for _, tail in self._journals if tail is not None]
        return any(moved)

    def has_other_journals(self) -> bool:
        """Say whether a journal has come or gone since the index looked: another rank, an attempt, an edit."""
        try:
            return os.stat(self._folder).st_mtime_ns != self._standing.folder_ns
        except OSError:
            return True

    def is_behind(self) -> bool:
        """Say whether the index must look: at an event, at what cannot be followed here, at a writer that is gone."""
        if any(tail.is_behind if tail is not None else watch.moved(one) for one, tail in self._journals):
            return True
        self._turn += 1
        return self._turn % _JUDGE_EVERY == 0 and self._is_judged_otherwise()

    def _is_judged_otherwise(self) -> bool:
        here = Here(identity.boot_id(), self._clock.boot_ns(), self._clock.wall_ns())
        judged = [(self._judged(watched, tail, here), tail) for watched, tail in self._journals]
        lives = [watched.life for watched, _ in self._journals]
        self._journals = judged
        return lives != [watched.life for watched, _ in judged]

    @staticmethod
    def _judged(watched: Watched, tail: Tail | None, here: Here) -> Watched:
        """Judge a writer by its process, or by whether its journal has moved."""
        if tail is not None and tail.end != watched.end:
            seen = look_again(watched.look, tail.end, here.boot_id, here.boot_ns)
            watched = watched._replace(end=tail.end, last_ns=max(watched.last_ns, tail.last_ns), look=seen)
        return watch.look(watched, here)
