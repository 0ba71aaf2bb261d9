"""Fold a run's journals into what a listing shows, and carry the fold on as they grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runfolio.journal.columns import JournalColumns, Segment
from runfolio.store.catch_up import Mark, mark_of
from runfolio.store.groups import Groups
from runfolio.store.layout import Layout
from runfolio.store.merge import hidden_from, points_of
from runfolio.store.run_files import Rank, RunFiles
from runfolio.store.sealed import SealedJournal
from runfolio.store.summary import Summary
from runfolio.store.summing import carry_on, carry_set_on, summarize

Key = tuple[str, Rank]
_BATCH_POINTS = 1 << 20


class RunFolding:
    """A run's files and the summary of each of its series, as of the last `refresh`."""

    def __init__(self, layout: Layout, run_id: str) -> None:
        self.files = RunFiles(layout, run_id)
        self.summaries: dict[Key, Summary] = {}
        self._seen: dict[str, tuple[list[Segment], int]] = {}  # of each journal: its segments, and how many are in
        self._rewinds: list[tuple[int, int]] = []
        self._metric_names: dict[str, str] = {}
        self._version = 0

    def refresh(self, spools: Iterable[str] | None = None) -> bool:
        """Take in what is new; True where there was something."""
        changed = self.files.refresh(spools)
        if self._version != self.files.version:
            self._version = self.files.version
            self._sum_up()
        return changed

    def mark_of(self, journal: JournalColumns) -> Mark | None:
        """Mark the end of a journal, to read on from there; None where that would not do."""
        state = self.files.state
        if hidden_from(journal.attempt, state.rewinds) is not None or state.metric_names:
            return None
        return mark_of(journal, self.files.rank_of(journal))

    def _sum_up(self) -> None:
        if not self._goes_on():
            self.summaries, self._seen = {}, {}
        stale: set[Key] = set()
        for journal in self.files.journals:
            stale.update(self._carry(journal))
        keys = [(name, rank) for name, ranks in self.files.ranks().items() for rank in ranks]
        summaries = ((key, self._anew(key) if key in stale else self.summaries.get(key)) for key in keys)
        self.summaries = {key: summary for key, summary in summaries if summary is not None}
        self._rewinds, self._metric_names = list(self.files.state.rewinds), dict(self.files.state.metric_names)
        self._seen = {journal.journal_id: (journal.segments, len(journal.segments)) for journal in self.files.journals}

    def _goes_on(self) -> bool:
        """Say whether all that was summed up still stands."""
        journals = {journal.journal_id: journal for journal in self.files.journals}
        kept = all(id_ in journals and journals[id_].segments is segments for id_, (segments, _) in self._seen.items())
        state = self.files.state
        return kept and self._rewinds == state.rewinds and self._metric_names == state.metric_names

    def _carry(self, journal: JournalColumns) -> set[Key]:
        """Carry the summaries on by what is new in a journal; return those that must be made anew."""
        rank = self.files.rank_of(journal)
        if self.files.state.metric_names:
            return {(name, shown) for name, ranks in self.files.ranks().items() for shown in ranks}
        if isinstance(journal, SealedJournal):
            return set() if journal.journal_id in self._seen else {(name, rank) for name in journal.metrics()}
        groups = Groups(journal.segments[self._seen.get(journal.journal_id, ([], 0))[1] :])
        if hidden_from(journal.attempt, self.files.state.rewinds) is not None:
            return {(name, rank) for name in groups.places}
        stale: set[Key] = set()
        for segments in (batch for every in groups.by_tag.values() for batch in _batches(every)):
            keys = segments[0].columns.keys
            after = carry_set_on([self.summaries.get((key, rank)) for key in keys], segments, rank)
            for key, summary in zip(keys, after, strict=True):
                if len(groups.places[key]) == 1:
                    self._put((key, rank), summary, stale)
        for name, places in groups.places.items():
            column = groups.column(name) if len(places) > 1 else None
            if column is not None:
                self._put((name, rank), carry_on(self.summaries.get((name, rank)), points_of(column), rank), stale)
        return stale

    def _put(self, key: Key, summary: Summary | None, stale: set[Key]) -> None:
        if summary is None:
            stale.add(key)
        else:
            self.summaries[key] = summary

    def _anew(self, key: Key) -> Summary | None:
        points = self.files.merged(*key)
        return None if points is None else summarize(points, key[1])


def _batches(segments: list[Segment]) -> Iterator[list[Segment]]:
    """Cut segments into batches of a million points at most, so that arrays made from them stay small."""
    batch: list[Segment] = []
    count = 0
    for segment in segments:
        if batch and count + len(segment.seq) > _BATCH_POINTS:
            yield batch
            batch, count = [], 0
        batch.append(segment)
        count += len(segment.seq)
    if batch:
        yield batch
