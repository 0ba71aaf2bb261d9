"""Where the runners' metrics go: the run's file and a line on the terminal, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from runfolio.dialects.vibe_rl.metrics import MetricsLogger, log_step_progress
from runfolio.dialects.vibe_rl.run_dir import RunDir


class Write(Protocol):
    """Writes the metrics of a step."""

    def __call__(self, step: int, metrics: dict[str, Any]) -> None: ...


@contextmanager
def writing(run_dir: RunDir | None, total_steps: int) -> Iterator[Write]:
    """Give what writes metrics while training goes on; without a folder nothing is written."""
    if run_dir is None:
        yield lambda step, metrics: None
        return
    with MetricsLogger(run_dir.log_path()) as logger:

        def write(step: int, metrics: dict[str, Any]) -> None:
            logger.write({"step": step, **metrics})
            log_step_progress(step, total_steps, metrics)

        yield write
