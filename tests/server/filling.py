"""Runs for the server to show."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import runfolio


def store_path() -> Path:
    """Give the folder of the test's own store."""
    return Path(os.environ["RUNFOLIO_DIR"])


def add_run(
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Sequence[float]] | None = None,
    **more: Any,
) -> str:
    """Add a finished run that has logged `{metric: [values]}` by step; give its id."""
    goals, summary = more.pop("goals", {}), more.pop("summary", {})
    with runfolio.start(more.pop("experiment", "test"), name, dict(params or {}), capture=False, **more) as run:
        for metric, goal in goals.items():
            run.define(metric, goal=goal)
        for metric, values in (metrics or {}).items():
            for step, value in enumerate(values):
                run.log({metric: value}, step=step)
        run.summary.update(summary)
        return str(run.id)


def fill(runs: int = 6) -> list[str]:
    """Add runs of two learning rates over seeds, the newest last; give their ids."""
    return [
        add_run(
            f"r{number}",
            {"lr": 0.1 if number % 2 else 0.01, "seed": number // 2, "opt": "adam"},
            {"loss": [1.0, 0.5 + number / 100], "val/acc": [0.1, number / 10]},
            goals={"val/acc": "max"},
        )
        for number in range(runs)
    ]
