"""Follow a run: what its writers have told since the last look, call by call and event by event, in their order.

Views, sinks and the live screen stand on this. Cost: what is new, once; about a microsecond for each call of `log`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from heapq import merge as merge_sorted
from itertools import accumulate, repeat
from operator import attrgetter, gt, itemgetter
from typing import Any, NamedTuple

from runfolio.journal.columns import JournalColumns, Segment
from runfolio.model.events import Event
from runfolio.model.run_state import RunState
from runfolio.store.layout import Layout
from runfolio.store.merge import hidden_from
from runfolio.store.run_files import RunFiles
from runfolio.store.sealed import SealedJournal

Number = float | int | bool


class Call(NamedTuple):
    """One call of `log`, as it was made."""

    step: int | None
    values: dict[str, Number]
    time_ns: int
    attempt: int
    rank: int | None
    writer: str
    seq: int


Entry = Call | Event


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
        new = []
        for journal in self.files.journals:
            taken = self._taken.setdefault(journal.journal_id, _Taken())
            entries = taken.new(journal, self.files.rank_of(journal))
            if entries:
                new.append(entries)
        return in_order(new)


def entries_of(files: RunFiles) -> list[Entry]:
    """Give all that a run's journals tell, in the order of events; calls that a rewind hides are left out."""
    told = (_Taken().new(journal, files.rank_of(journal)) for journal in files.journals)
    entries = in_order([entries for entries in told if entries])
    rewinds = files.state.rewinds
    if not rewinds:
        return entries
    return [entry for entry in entries if not (isinstance(entry, Call) and _is_hidden(entry, rewinds))]


def in_order(parts: Sequence[list[Entry]]) -> list[Entry]:
    """Merge what several writers tell, each part being one writer's in its order; the times of a writer are made not to fall.

    The longest part is taken in pieces, between the entries of the others: beside a long journal there is nearly always a short one.
    """
    if len(parts) < 2:
        return parts[0] if parts else []
    first, *rest = sorted(parts, key=len, reverse=True)
    others = _merged(rest)
    attempt, writer, times = first[0].attempt, _writer_of(first[0]), _times(first)
    found: list[Entry] = []
    at = 0
    for (its_attempt, time_ns, its_writer), entry in others:
        if its_attempt == attempt:
            upto = (bisect_left if its_writer < writer else bisect_right)(times, time_ns, at)
        else:
            upto = at if its_attempt < attempt else len(first)
        found += first[at:upto]
        found.append(entry)
        at = upto
    return found + first[at:]


def _merged(parts: Sequence[list[Entry]]) -> list[tuple[tuple[int, int, str], Entry]]:
    """Merge several writers' entries, each with its key: (attempt, time, writer)."""
    keyed = (
        [
            ((entry.attempt, time_ns, _writer_of(entry)), entry)
            for entry, time_ns in zip(part, _times(part), strict=True)
        ]
        for part in parts
    )
    return list(merge_sorted(*keyed, key=itemgetter(0)))


def _times(part: Iterable[Entry]) -> list[int]:
    """Give times that never fall: a call's is cut to ticks, so that an event beside it may seem to come before."""
    return list(accumulate((entry.time_ns for entry in part), max))


def _writer_of(entry: Entry) -> str:
    return entry.writer if isinstance(entry, Call) else entry.journal


def _is_hidden(call: Call, rewinds: Sequence[tuple[int, int]]) -> bool:
    limit = hidden_from(call.attempt, rewinds)
    return limit is not None and call.step is not None and call.step >= limit


class _Taken:
    """How much of one journal was given."""

    def __init__(self) -> None:
        self._segments: list[Segment] | None = None
        self._segment_count = self._event_count = 0
        self._upto = -1  # the highest sequence number that was given

    def new(self, journal: JournalColumns, rank: int | None) -> list[Entry]:
        if journal.segments is not self._segments:
            self._segments, self._segment_count, self._event_count = journal.segments, 0, 0
        if isinstance(journal, SealedJournal):
            calls: list[Entry] = list(_sealed_calls(journal, rank)) if self._upto < 0 else []
        else:
            calls = []
            for segment in journal.segments[self._segment_count :]:
                calls += _calls(segment, journal, rank)
        events = journal.events[self._event_count :]
        self._segment_count, self._event_count = len(journal.segments), len(journal.events)
        entries = _by_seq(calls, events)
        if self._upto >= 0 and entries and entries[0].seq <= self._upto:
            entries = [entry for entry in entries if entry.seq > self._upto]
        if entries:
            self._upto = entries[-1].seq
        return entries


def _by_seq(calls: list[Entry], events: Sequence[Event]) -> list[Entry]:
    entries = [*calls, *events]
    seqs = [entry.seq for entry in entries]
    if any(map(gt, seqs, seqs[1:])):
        entries.sort(key=_SEQ)
    return entries


_SEQ = attrgetter("seq")


def _calls(segment: Segment, journal: JournalColumns, rank: int | None) -> list[Entry]:
    """Make the calls of a segment. Loops that stay in C: half the cost of a named tuple's own constructor in a Python loop."""
    columns, count = segment.columns, len(segment.seq)
    steps: Iterable[int | None] = repeat(None, count) if columns.final else segment.steps.tolist()
    keys = columns.keys
    values = [dict(zip(keys, row, strict=False)) for row in _rows(segment)]
    same = repeat(journal.attempt), repeat(rank), repeat(journal.journal_id)
    fields = zip(steps, values, segment.times_ns.tolist(), *same, segment.seq.tolist(), strict=False)
    return list(map(_new_call, fields))


_new_call: Callable[[tuple[Any, ...]], Call] = partial(tuple.__new__, Call)


def _rows(segment: Segment) -> Iterable[Sequence[Number]]:
    values, kinds = segment.frames["values"], segment.columns.kinds
    if kinds.strip("f") == "":
        rows: list[list[float]] = values.tolist()
        return rows
    return zip(*(_column(values[:, place], kind) for place, kind in enumerate(kinds)), strict=True)


def _column(values: Any, kind: str) -> list[Number]:
    found: list[Number] = values.astype({"f": "f8", "i": "i8", "b": "?"}[kind]).tolist()
    return found


def _sealed_calls(journal: SealedJournal, rank: int | None) -> Iterator[Call]:
    """Put the points of a journal that stands only in the seal back together, by their sequence numbers."""
    calls: dict[int, Call] = {}
    for metric in journal.metrics():
        column = journal.column(metric)
        if column is None:
            continue
        rows = zip(*(array.tolist() for array in column), strict=True)
        for step, final, value, kind, time_ns, seq in rows:
            number = value if kind == ord("f") else bool(value) if kind == ord("b") else int(value)
            if seq not in calls:
                at = None if final else step
                calls[seq] = Call(at, {}, time_ns, journal.attempt, rank, journal.journal_id, seq)
            calls[seq].values[metric] = number
    yield from calls.values()
