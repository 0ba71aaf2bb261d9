"""How far a run has come, and how long the rest will take."""

from __future__ import annotations

from runfolio.query.run import Progress
from runfolio.store.run_files import RunFiles


def progress(files: RunFiles, total_steps: int | None, running: bool) -> Progress:
    """Judge by the steps of the latest attempt: from its first to its highest one, at the pace so far."""
    attempt = files.attempt
    highest: tuple[int, int] | None = None  # step, time
    first: tuple[int, int] | None = None
    for journal in files.journals:
        for segment in journal.segments:
            if segment.columns.final:
                continue
            steps, times = segment.steps, segment.times_ns
            at = int(steps.argmax())
            if highest is None or steps[at] > highest[0]:
                highest = (int(steps[at]), int(times[at]))
            if journal.attempt == attempt and (first is None or times[0] < first[1]):
                first = (int(steps[0]), int(times[0]))
    step = highest[0] if highest else None
    if step is None or not total_steps:
        return Progress(step, total_steps, None, None)
    left_s = None
    if running and first and highest and highest[0] > first[0] and highest[1] > first[1]:
        pace_s = (highest[1] - first[1]) / 1e9 / (highest[0] - first[0])
        left_s = max(0.0, (total_steps - 1 - step) * pace_s)
    return Progress(step, total_steps, min(1.0, max(0.0, (step + 1) / total_steps)), left_s)
