"""Read the journals of one run, follow them, and say what they make together.

Nothing in a run's folder makes this raise: what cannot be read or does not belong there becomes a warning.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from struct import error as StructError

from runfolio.errors import Unreadable
from runfolio.journal import frame
from runfolio.journal.columns import Column, JournalColumns
from runfolio.model.events import Event
from runfolio.model.fold import RunFold
from runfolio.model.ids import is_id, short
from runfolio.model.run_state import RunState
from runfolio.store import spool
from runfolio.store.groups import Groups
from runfolio.store.layout import Layout
from runfolio.store.merge import Part, merge
from runfolio.store.points import Merged
from runfolio.store.sealed import SealedJournal, sealed_journals
from runfolio.store.watch import STARTERS

Rank = int | None
_NUMBER_MAX = 2**31 - 1  # of ranks and attempts; a journal may tell anything

_RECENT = 4096  # segments; a beat every 10 s tells about as much as older ones would


class RunFiles:
    """The journals of one run, at home and in the spool, decoded as far as they were written at the last `refresh`.

    Contract: not for several threads at once. Memory: the bytes of the run's metric frames.
    """

    def __init__(self, layout: Layout, run_id: str) -> None:
        self.layout = layout
        self.run_id = run_id
        self.warnings: list[str] = []
        self.copy_of: str | None = None
        """The run that these journals tell of, where this folder is only a copy of its folder."""
        self.spooled_in: list[str] = []
        self.version = 0
        self._known: dict[str, JournalColumns] = {}
        self._broken: dict[str, str] = {}
        self._sealed: list[SealedJournal] = []  # those that are read from there
        self._seal: list[SealedJournal] = []  # all that it holds
        self._seal_stamp: tuple[int, int] | None = None
        self._seal_trouble: list[str] = []
        self._used: list[JournalColumns] = []
        self._fold = RunFold()
        self._folded: dict[str, int] = {}  # how many events of each journal are in the fold
        self._merged: dict[tuple[str, Rank], Merged] = {}
        self._ranks: dict[str, list[Rank]] | None = None
        self._groups: dict[str, Groups] = {}

    # ---------------------------------------------------------------- reading

    def refresh(self, spools: Iterable[str] | None = None) -> bool:
        """Take in what is new; True where there was something.

        Args:
            spools: the spool folders to look into, where they are known.
        """
        bases = spool.base_folders() if spools is None else spools
        paths = journal_files(self.layout.run_journal(self.run_id))
        self.spooled_in = []
        for base in bases:
            folder = spool.run_journal(base, self.layout.root, self.run_id)
            spooled = journal_files(folder)
            if spooled:
                self.spooled_in.append(folder)
                paths += spooled
        changed = self._drop_gone(paths)
        for path in paths:
            changed = self._refresh_one(path) or changed
        changed = self._refresh_seal(changed) or changed
        if changed:
            self._take_stock()
        return changed

    def _drop_gone(self, paths: Sequence[str]) -> bool:
        gone = (self._known.keys() | self._broken.keys()) - set(paths)
        for path in gone:
            self._known.pop(path, None)
            self._broken.pop(path, None)
        return bool(gone)

    def _refresh_one(self, path: str) -> bool:
        journal = self._known.get(path) or JournalColumns(path)
        end = journal.end
        try:
            changed = journal.refresh() or journal.end != end or path not in self._known
        except (Unreadable, OSError, ValueError, StructError) as trouble:  # the latter two: a frame made to harm
            self._known.pop(path, None)
            before, self._broken[path] = self._broken.get(path), str(trouble)
            return before != str(trouble)
        self._known[path] = journal
        return self._broken.pop(path, None) is not None or changed

    def _refresh_seal(self, changed: bool) -> bool:
        """Take journals whose files are gone, or hold less than was sealed of them, from the seal."""
        try:
            found = os.stat(self.layout.run_json(self.run_id))
            stamp = (found.st_mtime_ns, found.st_ino)
        except OSError:
            stamp = None
        if stamp == self._seal_stamp and not changed:
            return False
        if stamp != self._seal_stamp:
            self._seal_stamp, self._seal, self._seal_trouble = stamp, [], []
            try:
                self._seal = sealed_journals(self.layout, self.run_id) if stamp else []
            except (Unreadable, OSError) as trouble:
                self._seal_trouble = [f"the seal cannot be read: {trouble}"]
        files = {journal.journal_id: journal for journal in self._known.values()}
        before, self._sealed = self._sealed, [one for one in self._seal if one.replaces(files.get(one.journal_id))]
        if [one.journal_id for one in before] == [one.journal_id for one in self._sealed]:
            return bool(self._seal_trouble)
        self._fold, self._folded = RunFold(), {}  # what was folded of a file need not be how the seal begins
        return True

    def _take_stock(self) -> None:
        """Choose the journals that count, and forget what was made of them before."""
        self.version += 1
        self._merged.clear()
        self._ranks = None
        every: list[JournalColumns] = [*self._known.values(), *self._sealed]
        by_id = {journal.journal_id: journal for journal in every}  # one that is at home and spooled is one
        journals = [by_id[id_] for id_ in sorted(by_id)]
        told = {str(run) for journal in journals if is_id(run := journal.opening.get("run"))}
        self.copy_of = min(told) if told and self.run_id not in told else None
        self._used, strange = [], []
        for journal in journals:
            reason = self._strangeness(journal, by_id)
            if reason is None:
                self._used.append(journal)
            else:
                strange.append(reason)
        self.warnings = [*self._copied(), *strange, *self._unreadable(), *self._seal_trouble, *self._short()]
        self.warnings += _damage(self._used)
        self._fold_on()

    def _strangeness(self, journal: JournalColumns, by_id: dict[str, JournalColumns]) -> str | None:
        """Say why a journal is left out; None where it counts."""
        name = f"journal/{journal.journal_id}{frame.SUFFIX}"
        run, writer = journal.opening.get("run"), journal.opening.get("writer")
        if is_id(run) and run != (self.copy_of or self.run_id):
            return f"{name} belongs to run {short(str(run))} and is left out"
        if not 1 <= journal.attempt <= _NUMBER_MAX:
            return f"{name} tells of an attempt that cannot be and is left out"
        if is_id(writer) and writer != journal.journal_id and writer in by_id:
            return f"{name} is a copy of {writer}{frame.SUFFIX} and is left out"
        return None

    def _copied(self) -> list[str]:
        if self.copy_of is None:
            return []
        return [f"this folder is a copy of run {short(self.copy_of)}, whose journals it holds; delete one of the two"]

    def _unreadable(self) -> list[str]:
        return [
            f"journal/{os.path.basename(path)} cannot be read: {reason}"
            for path, reason in sorted(self._broken.items())
        ]

    def _short(self) -> list[str]:
        have = {journal.journal_id for journal in self._known.values()}
        names = [f"journal/{sealed.journal_id}{frame.SUFFIX}" for sealed in self._sealed if sealed.journal_id in have]
        return [f"{name} holds less than was sealed of it, and is read from the seal" for name in names]

    def _fold_on(self) -> None:
        """Fold the events that are new, or all of them where they do not stand behind those that were folded."""
        counts = {journal.journal_id: len(journal.events) for journal in self._used}
        kept = all(counts.get(id_, -1) >= count for id_, count in self._folded.items())
        new = [event for journal in self._used for event in journal.events[self._folded.get(journal.journal_id, 0) :]]
        last = self._fold.last
        if not kept or (last is not None and any(event.order_key <= last for event in new)):
            self._fold = RunFold()
            new = [event for journal in self._used for event in journal.events]
        for event in sorted(new, key=_order_key):
            self._fold.add(event)
        self._folded = counts

    # ---------------------------------------------------------------- what they say

    @staticmethod
    def rank_of(journal: JournalColumns) -> Rank:
        """Give the rank of a writer; None for none, and for what is no rank."""
        return journal.rank if journal.rank is not None and 0 <= journal.rank <= _NUMBER_MAX else None

    @property
    def journals(self) -> list[JournalColumns]:
        """The journals that count."""
        return self._used

    @property
    def state(self) -> RunState:
        return self._fold.state

    @property
    def attempt(self) -> int:
        """The latest attempt that has a journal."""
        return max((journal.attempt for journal in self._used), default=1)

    @property
    def declared(self) -> str | None:
        """How the latest attempt ended by its own or its launcher's word; None while it has no end."""
        attempts = self.state.attempts
        return attempts[-1].status if attempts and attempts[-1].number >= self.attempt else None

    @property
    def endless(self) -> list[JournalColumns]:
        """The closed journals by the starters of the latest attempt, where it has no end: their processes may go on where we do not see it."""
        if self.declared is not None:
            return []
        return [j for j in self._used if j.closed and j.attempt == self.attempt and j.role in STARTERS]

    def last_ns(self, attempt: int | None = None) -> int | None:
        """Give the last time in any journal, or in those of an attempt."""
        chosen = [journal for journal in self._used if attempt in (None, journal.attempt)]
        return max((last_time_ns(journal) for journal in chosen), default=None)

    @property
    def size_bytes(self) -> int:
        """How much memory the points take, about."""
        return sum(journal.end for journal in self._known.values())

    def ranks(self) -> dict[str, list[Rank]]:
        """Give the metrics that have points to show, in the order first declared, each with its ranks: none first, then by number."""
        if self._ranks is None:
            found: dict[str, set[Rank]] = {}
            for journal in sorted(self._used, key=_begin_order):
                for name in self._names(journal):
                    found.setdefault(name, set()).add(self.rank_of(journal))
            shown = (
                (name, [rank for rank in sorted(ranks, key=_rank_order) if self._shows(name, rank)])
                for name, ranks in found.items()
            )
            self._ranks = {name: ranks for name, ranks in shown if ranks}
        return self._ranks

    def _shows(self, metric: str, rank: Rank) -> bool:
        """Say whether a rewind has left anything of a series."""
        return not self.state.rewinds or self.merged(metric, rank) is not None

    def merged(self, metric: str, rank: Rank) -> Merged | None:
        """Give the points of a series; None where there are none."""
        key = (metric, rank)
        if key not in self._merged:
            parts = self._parts(metric, rank)
            if not parts:
                return None
            points = self._merged[key] = merge(parts, self.state.rewinds)
            for array in points:
                array.flags.writeable = False  # it is handed out again to whoever asks next
        found = self._merged[key]
        return found if len(found.values) else None

    def _parts(self, metric: str, rank: Rank) -> list[Part]:
        parts = []
        logged = self._logged_as(metric) if self.state.metric_names else [metric]
        for journal in self._used:
            for name in logged if self.rank_of(journal) == rank else ():
                if (column := self._column(journal, name)) is not None:
                    parts.append(Part(journal.attempt, journal.journal_id, column))
        return parts

    def _logged_as(self, metric: str) -> list[str]:
        """Give the names under which a metric was logged that is shown so."""
        names = self.state.metric_names
        return [*([] if metric in names else [metric]), *(own for own, shown in names.items() if shown == metric)]

    def _names(self, journal: JournalColumns) -> Iterable[str]:
        logged = journal.metrics() if isinstance(journal, SealedJournal) else self._groups_of(journal).places
        names = self.state.metric_names
        return [names.get(name, name) for name in logged] if names else logged

    def _column(self, journal: JournalColumns, metric: str) -> Column | None:
        if not isinstance(journal, SealedJournal):
            return self._groups_of(journal).column(metric)
        try:
            return journal.column(metric)
        except Unreadable as trouble:  # its points are read only now
            if str(trouble) not in self.warnings:
                self.warnings.append(str(trouble))
            return None

    def _groups_of(self, journal: JournalColumns) -> Groups:
        return self._groups.setdefault(journal.journal_id, Groups()).follow(journal)


def journal_files(folder: str) -> list[str]:
    """Give the journals in a folder, by name; none where it cannot be read. Anything else there is passed over."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if is_journal_name(entry.name) and entry.is_file()]
    except OSError:
        return []
    return [os.path.join(folder, name) for name in sorted(names)]


def last_time_ns(journal: JournalColumns) -> int:
    """Give the time of the last frame, by the writer's clock."""
    recent = journal.segments[-_RECENT:]
    ends = ((int(s.frames["time"][-1]) << frame.TICK_BITS) + s.columns.time_base_ns for s in recent)
    return max([journal.last_time_ns, *ends])


def journal_id_of(path: str) -> str:
    return os.path.basename(path)[: -len(frame.SUFFIX)]


def is_journal_name(name: str) -> bool:
    return name.endswith(frame.SUFFIX) and is_id(name[: -len(frame.SUFFIX)])


def _damage(journals: Iterable[JournalColumns]) -> Iterator[str]:
    """Tell of the damage that a power cut does not explain."""
    for journal in journals:
        holes = [hole for hole in journal.damage if hole.offset < journal.synced]
        if holes:
            missing = sum(hole.missing for hole in holes)
            name = f"journal/{journal.journal_id}{frame.SUFFIX}"
            yield f"{name} is damaged in {len(holes)} places, {missing} frames are missing; runfolio verify tells which"


def _begin_order(journal: JournalColumns) -> tuple[int, int]:
    """Order journals by when they tell something for the first time."""
    times = [event.time_ns for event in journal.events[:1]] + [int(s.times_ns[0]) for s in journal.segments[:1]]
    return journal.attempt, min(times, default=journal.last_time_ns)


def _rank_order(rank: Rank) -> int:
    return -1 if rank is None else rank


def _order_key(event: Event) -> tuple[int, int, str, int]:
    return event.order_key
