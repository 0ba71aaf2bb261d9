"""Follow a run: what its writers have told since the last look, call by call and event by event, in their order.

Views, sinks and the live screen stand on this. Cost: what is new, once; about a microsecond for each call of `log`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from heapq import merge as merge_sorted
from itertools import accumulate, compress, repeat
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from runfolio.journal.columns import JournalColumns, Segment
from runfolio.model.events import Event
from runfolio.model.run_state import RunState
from runfolio.store.layout import Layout
from runfolio.store.merge import hidden_from
from runfolio.store.run_files import RunFiles
from runfolio.store.sealed import SealedJournal

Number = float | int | bool
T = TypeVar("T")


class Call(NamedTuple):
    """One call of `log`, as it was made."""

    step: int | None
    values: dict[str, Number]
    time_ns: int
    attempt: int
    rank: int | None
    writer: str
    seq: int


class Calls(NamedTuple):
    """Calls of one writer with the same names, as columns."""

    keys: tuple[str, ...]
    columns: list[NDArray[Any]]  # of float64, int64 or bool, as it was logged
    steps: NDArray[np.int64] | None
    times_ns: NDArray[np.int64]
    seq: NDArray[np.int64]
    attempt: int
    rank: int | None
    writer: str


class Part(NamedTuple, Generic[T]):
    """What one writer tells, in its order."""

    attempt: int
    writer: str
    told: list[T]
    seq: NDArray[np.int64]
    times_ns: list[int]
    """Made not to fall: a call's is cut to ticks, so that an event beside it may seem to come before."""


Entry = Call | Event
Make = Callable[[Calls], list[T]]
"""Makes one thing of each call."""


class Follower:
    """Reads a run as it grows. Each entry is given once, also where a journal had to be read anew.

    Contract: for one thread. What one `poll` gives is in the order of events; a writer on another machine may come late with something earlier.
    """

    def __init__(self, layout: Layout, run_id: str, files: RunFiles | None = None) -> None:
        self.files = files or RunFiles(layout, run_id)
        self._taken: dict[str, _Taken] = {}

    @property
    def state(self) -> RunState:
        """What the events so far come to."""
        return self.files.state

    def poll(self) -> list[Entry]:
        """Give what is new."""
        return self.new() if self.files.refresh() else []

    def new(self) -> list[Entry]:
        """Give what is new in what was read already."""
        return in_order(
            self._taken.setdefault(journal.journal_id, _Taken()).new(journal, self.files.rank_of(journal))
            for journal in self.files.journals
        )


def entries_of(files: RunFiles) -> list[Entry]:
    """Give all that a run's journals tell, in the order of events; calls that a rewind hides are left out."""
    return in_order(parts_of(files, _each))


def parts_of(files: RunFiles, make: Make[T]) -> list[Part[T | Event]]:
    """Give all that a run's journals tell, writer by writer; calls that a rewind hides are left out.

    `make` is given the calls in stretches of one writer and one set of names: a loop over columns that stays in C costs a part of one over calls.
    """
    rewinds = files.state.rewinds
    return [
        _part(
            journal,
            _calls(journal, files.rank_of(journal)),
            journal.events,
            make,
            hidden_from(journal.attempt, rewinds),
        )
        for journal in files.journals
    ]


def in_order(parts: Iterable[Part[T]]) -> list[T]:
    """Merge what several writers tell.

    The longest part is taken in pieces, between the entries of the others: beside a long journal there is nearly always a short one.
    """
    full = sorted((part for part in parts if part.told), key=lambda part: len(part.told), reverse=True)
    if not full:
        return []
    first, *rest = full
    found: list[T] = []
    at = 0
    for (attempt, time_ns, writer), entry in _merged(rest):
        if attempt == first.attempt:
            upto = (bisect_left if writer < first.writer else bisect_right)(first.times_ns, time_ns, at)
        else:
            upto = at if attempt < first.attempt else len(first.told)
        found += first.told[at:upto]
        found.append(entry)
        at = upto
    return found + first.told[at:]


def _merged(parts: Iterable[Part[T]]) -> Iterator[tuple[tuple[int, int, str], T]]:
    """Merge several writers' entries, each with its key: (attempt, time, writer)."""
    keyed = (
        [((part.attempt, time_ns, part.writer), entry) for entry, time_ns in zip(part.told, part.times_ns, strict=True)]
        for part in parts
    )
    return merge_sorted(*keyed, key=itemgetter(0))


class _Taken:
    """How much of one journal was given."""

    def __init__(self) -> None:
        self._segments: list[Segment] | None = None
        self._segment_count = self._event_count = 0
        self._upto = -1  # the highest sequence number that was given

    def new(self, journal: JournalColumns, rank: int | None) -> Part[Entry]:
        if journal.segments is not self._segments:
            self._segments, self._segment_count, self._event_count = journal.segments, 0, 0
        calls = (
            [] if isinstance(journal, SealedJournal) and self._upto >= 0 else _calls(journal, rank, self._segment_count)
        )
        part = _part(journal, calls, journal.events[self._event_count :], _each, since=self._upto)
        self._segment_count, self._event_count = len(journal.segments), len(journal.events)
        if len(part.seq):
            self._upto = int(part.seq[-1])
        return part


def _part(
    journal: JournalColumns,
    calls: Sequence[Calls],
    events: Sequence[Event],
    make: Make[T],
    hidden: int | None = None,
    since: int = -1,
) -> Part[T | Event]:
    """Put what one writer tells in order.

    Args:
        hidden: the step from which calls are left out.
        since: the sequence number up to which all is left out.
    """
    told: list[T | Event] = [one for some in calls for one in make(some)]
    told += events
    seq = np.concatenate([*(some.seq for some in calls), np.array([event.seq for event in events], np.int64)])
    times = [time_ns for some in calls for time_ns in some.times_ns.tolist()] + [event.time_ns for event in events]
    order = np.argsort(seq, kind="stable")
    order = order[np.searchsorted(seq[order], since, "right") :]
    times = list(accumulate(map(times.__getitem__, order.tolist()), max))
    if hidden is not None:
        shows = np.concatenate([*(_shows(some, hidden) for some in calls), np.ones(len(events), np.bool_)])[order]
        order, times = order[shows], list(compress(times, shows.tolist()))
    return Part(journal.attempt, journal.journal_id, list(map(told.__getitem__, order.tolist())), seq[order], times)


def _shows(calls: Calls, hidden: int) -> NDArray[np.bool_]:
    return np.ones(len(calls.seq), np.bool_) if calls.steps is None else calls.steps < hidden


# -------------------------------------------------------------------------------------------------------------- calls


def _calls(journal: JournalColumns, rank: int | None, since: int = 0) -> list[Calls]:
    """Give the calls of a journal, from the segment `since` on: a journal that was followed for long has a segment for each look."""
    if isinstance(journal, SealedJournal):
        found = list(_sealed(journal))
    else:
        alike: dict[tuple[bool, str, tuple[str, ...]], list[Segment]] = {}
        for segment in journal.segments[since:]:
            columns = segment.columns
            alike.setdefault((columns.final, columns.kinds, columns.keys), []).append(segment)
        found = [_columns(*names, segments) for names, segments in alike.items()]
    return [Calls(*columns, journal.attempt, rank, journal.journal_id) for columns in found]


_Columns = tuple[tuple[str, ...], list[NDArray[Any]], NDArray[np.int64] | None, NDArray[np.int64], NDArray[np.int64]]
_TYPES = {"f": "f8", "i": "i8", "b": "?"}


def _columns(final: bool, kinds: str, keys: tuple[str, ...], segments: Sequence[Segment]) -> _Columns:
    values = np.concatenate([segment.frames["values"] for segment in segments])
    return (
        keys,
        [values[:, place].astype(_TYPES[kind]) for place, kind in enumerate(kinds)],
        None if final else np.concatenate([segment.steps for segment in segments]),
        np.concatenate([segment.times_ns for segment in segments]),
        np.concatenate([segment.seq for segment in segments]),
    )


def _sealed(journal: SealedJournal) -> Iterator[_Columns]:
    """Put the points of a journal that stands only in the seal back together, by their sequence numbers."""
    calls: dict[int, tuple[int | None, int, dict[str, tuple[str, float]]]] = {}
    for metric in journal.metrics():
        column = journal.column(metric)
        if column is None:
            continue
        for step, final, value, kind, time_ns, seq in zip(*(array.tolist() for array in column), strict=True):
            _, _, values = calls.setdefault(seq, (None if final else step, time_ns, {}))
            values[metric] = (_TYPES[chr(kind)], value)
    alike: dict[tuple[Any, ...], list[int]] = {}
    for seq, (step, _, values) in calls.items():
        alike.setdefault((step is None, *((name, kind) for name, (kind, _) in values.items())), []).append(seq)
    for (final, *names), seqs in alike.items():
        steps, times_ns, rows = zip(*(calls[seq] for seq in seqs), strict=True)
        yield (
            tuple(name for name, _ in names),
            [np.array([row[name][1] for row in rows]).astype(kind) for name, kind in names],
            None if final else np.array(steps, np.int64),
            np.array(times_ns, np.int64),
            np.array(seqs, np.int64),
        )


def _each(calls: Calls) -> list[Call]:
    """Make the calls one by one. Loops that stay in C: half the cost of a named tuple's own constructor in a Python loop."""
    rows = zip(*(column.tolist() for column in calls.columns), strict=True) if calls.keys else [()] * len(calls.seq)
    values = [dict(zip(calls.keys, row, strict=True)) for row in rows]
    steps = repeat(None) if calls.steps is None else calls.steps.tolist()
    same = repeat(calls.attempt), repeat(calls.rank), repeat(calls.writer)
    fields = zip(steps, values, calls.times_ns.tolist(), *same, calls.seq.tolist(), strict=False)
    return list(map(_new_call, fields))


_new_call: Callable[[tuple[Any, ...]], Call] = partial(tuple.__new__, Call)
