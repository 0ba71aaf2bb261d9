"""Fold a run's journals into what a listing shows, and carry the fold on as they grow."""

from __future__ import annotations

from collections.abc import Iterable

from runfolio.journal.columns import Column, JournalColumns, Segment
from runfolio.store.layout import Layout
from runfolio.store.merge import hidden_from
from runfolio.store.points import Merged
from runfolio.store.run_files import Rank, RunFiles
from runfolio.store.summary import Summary
from runfolio.store.summing import carry_on, summarize

Key = tuple[str, Rank]


class RunFolding:
    """A run's files and the summary of each of its series, as of the last `refresh`."""

    def __init__(self, layout: Layout, run_id: str) -> None:
        self.files = RunFiles(layout, run_id)
        self.summaries: dict[Key, Summary] = {}
        self._seen: dict[str, tuple[list[Segment], int]] = {}  # of each journal: its segments, and how many are in
        self._rewinds: list[tuple[int, int]] = []
        self._version = 0

    def refresh(self, spools: Iterable[str] | None = None) -> bool:
        """Take in what is new; True where there was something."""
        changed = self.files.refresh(spools)
        if self._version != self.files.version:
            self._version = self.files.version
            self._sum_up()
        return changed

    def _sum_up(self) -> None:
        stale = self._stale()
        keys = [(name, rank) for name, ranks in self.files.ranks().items() for rank in ranks]
        known, self.summaries = self.summaries, {}
        for key in keys:
            summary = self._anew(key) if stale is None or key in stale else known.get(key)
            if summary is not None:
                self.summaries[key] = summary
        self._rewinds = list(self.files.state.rewinds)
        self._seen = {journal.journal_id: (journal.segments, len(journal.segments)) for journal in self.files.journals}

    def _stale(self) -> set[Key] | None:
        """Carry the summaries on by new points; return those that must be made anew, None for all of them."""
        journals = {journal.journal_id: journal for journal in self.files.journals}
        kept = all(id_ in journals and journals[id_].segments is segments for id_, (segments, _) in self._seen.items())
        if not self._seen or not kept or self._rewinds != self.files.state.rewinds:
            return None
        stale: set[Key] = set()
        for journal in journals.values():
            since = self._seen.get(journal.journal_id, ([], 0))[1]
            names = {name: None for segment in journal.segments[since:] for name in segment.columns.keys}
            for name in names:
                key = (name, self.files.rank_of(journal))
                if key not in stale and not self._carried_on(key, journal, since):
                    stale.add(key)
        return stale

    def _carried_on(self, key: Key, journal: JournalColumns, since: int) -> bool:
        before, column = self.summaries.get(key), journal.column(key[0], since)
        if before is None or column is None or hidden_from(journal.attempt, self.files.state.rewinds) is not None:
            return False
        after = carry_on(before, _points(column))
        if after is not None:
            self.summaries[key] = after
        return after is not None

    def _anew(self, key: Key) -> Summary | None:
        points = self.files.merged(*key)
        return None if points is None else summarize(points, key[1])


def _points(column: Column) -> Merged:
    return Merged(column.steps, column.final, column.values, column.kinds, column.times_ns)
