"""Give the journals of a run out of its seal, where their files are gone or hold less, as if they were read from the files."""

from __future__ import annotations

from collections.abc import Collection

from runfolio.errors import Unreadable
from runfolio.journal.columns import Column, JournalColumns
from runfolio.model.events import Event
from runfolio.store import parquet, run_json
from runfolio.store.layout import Layout
from runfolio.store.run_json import Covered


class SealedJournal(JournalColumns):
    """One journal out of `run.json` and `metrics.parquet`.

    Contract: as `JournalColumns`; `refresh` never finds anything new, `segments` are none. Points are read when asked for.
    """

    def __init__(self, path: str, covered: Covered, events: list[Event], points: SealedPoints) -> None:
        super().__init__(path)
        self.covered = covered
        self.journal_id = covered.journal
        self.opening = covered.opening
        self.events = events
        self.closed = True
        self.end, self.seq, self.synced = covered.end, covered.seq, covered.synced
        self.last_time_ns = covered.last_time_ns
        self.high_step = covered.high_step
        self._names = covered.metrics
        self._points = points

    def refresh(self) -> bool:
        """Find nothing new."""
        return False

    def has_more_than(self, file: JournalColumns) -> bool:
        """Say whether the file of this journal has lost something of what was sealed, being cut or damaged since."""
        if file.end > self.end:
            return False
        points = sum(len(segment.seq) * len(segment.columns.keys) for segment in file.segments)
        lost = file.end < self.end or points < self.covered.points or len(file.events) < len(self.events)
        return lost or file.opening != self.opening

    def replaces(self, file: JournalColumns | None) -> bool:
        """Say whether to read the journal from the seal: its file is gone, or has lost something that can be read here."""
        return file is None or (self.has_more_than(file) and (not self._names or self._points.are_there()))

    def metrics(self) -> dict[str, None]:
        """Give the names of all metrics, in the order first declared."""
        return dict.fromkeys(self._names)

    def column(self, key: str, since: int = 0) -> Column | None:
        """Give the points of a metric; None where there are none."""
        return self._points.column(key, self.journal_id) if key in self._names and not since else None


class SealedPoints:
    """The points in a run's `metrics.parquet`; the metric read last is kept."""

    def __init__(self, path: str, writers: list[str]) -> None:
        self.path = path
        self.writers = writers
        self._last: tuple[str, parquet.Points] | None = None

    def column(self, metric: str, writer: str) -> Column | None:
        """Give the points of one metric by one writer, by rising sequence number.

        Raises:
            Unreadable: the file is damaged or gone.
        """
        if self._last is None or self._last[0] != metric:
            self._last = (metric, self._read(metric))
        column = self._last[1].column(self.writers.index(writer))
        return column if len(column.seq) else None

    def are_there(self) -> bool:
        """Say whether the file is there, and whole as far as its own index tells."""
        try:
            parquet.read_meta(self.path)
        except (FileNotFoundError, Unreadable):
            return False
        return True

    def _read(self, metric: str) -> parquet.Points:
        try:
            return parquet.read(self.path, metric, self.writers)
        except FileNotFoundError as gone:
            raise Unreadable(f"the points of sealed journals are gone with metrics.parquet: {self.path}") from gone


def sealed_journals(layout: Layout, run_id: str, besides: Collection[str] = ()) -> list[SealedJournal]:
    """Give the journals that the seal of a run holds, but for those named.

    Cost: where there is no `run.json`, one system call.

    Raises:
        Unreadable: the seal is damaged or of a newer format.
    """
    found = run_json.read(layout.run_json(run_id))
    if found is None:
        return []
    events: dict[str, list[Event]] = {covered.journal: [] for covered in found.journals}
    for event in found.events:
        events[event.journal].append(event)
    points = SealedPoints(layout.parquet(run_id), [covered.journal for covered in found.journals])
    path = layout.run_json(run_id)
    return [
        SealedJournal(path, covered, events[covered.journal], points)
        for covered in found.journals
        if covered.journal not in besides
    ]
