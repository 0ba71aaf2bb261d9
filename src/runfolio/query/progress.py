"""How far a run has come, and how long the rest will take."""

from __future__ import annotations

from typing import NamedTuple

from runfolio.journal.columns import JournalColumns
from runfolio.store.merge import Rewinds, hidden_from
from runfolio.store.run_files import RunFiles
from runfolio.store.sealed import SealedJournal

Moment = tuple[int, int]
"""A step and its time."""


class Progress(NamedTuple):
    """How far a run has come."""

    step: int | None
    total_steps: int | None
    fraction: float | None
    left_s: float | None
    """Until `total_steps`, at the pace of the latest attempt; None where that cannot be told."""


def progress(files: RunFiles, total_steps: int | None, running: bool) -> Progress:
    """Judge by the steps to be seen: the highest of all, and for the pace those of the latest attempt."""
    spans = [
        (journal.attempt, *span)
        for journal in files.journals
        if (span := _span(journal, files.state.rewinds)) is not None
    ]
    highest = max((last for _, _, last in spans), default=None)
    step = highest[0] if highest else None
    if highest is None or not total_steps:
        return Progress(step, total_steps, None, None)
    first = min(
        (first for attempt, first, _ in spans if attempt == files.attempt), key=lambda moment: moment[1], default=None
    )
    left_s = None
    if running and first is not None and highest[0] > first[0] and highest[1] > first[1]:
        pace_s = (highest[1] - first[1]) / 1e9 / (highest[0] - first[0])
        left_s = max(0.0, (total_steps - 1 - highest[0]) * pace_s)
    return Progress(step, total_steps, min(1.0, max(0.0, (highest[0] + 1) / total_steps)), left_s)


def _span(journal: JournalColumns, rewinds: Rewinds) -> tuple[Moment, Moment] | None:
    """Give the first point of a journal in time, and its highest step that no rewind hides."""
    limit = hidden_from(journal.attempt, rewinds)
    first: Moment | None = None
    last: Moment | None = None
    if isinstance(journal, SealedJournal) and journal.high_step is not None:
        last = (journal.high_step if limit is None else min(journal.high_step, limit - 1), journal.last_time_ns)
    for segment in journal.segments:
        if segment.columns.final:
            continue
        steps, times = segment.steps, segment.times_ns
        if limit is not None:
            steps, times = steps[steps < limit], times[steps < limit]
        if not len(steps):
            continue
        at = int(steps.argmax())
        last = max(last or (int(steps[at]), int(times[at])), (int(steps[at]), int(times[at])))
        if first is None or times[0] < first[1]:
            first = (int(steps[0]), int(times[0]))
    return None if last is None else (first or last, last)
