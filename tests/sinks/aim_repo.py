"""Read an Aim repository by Aim's own reader."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

needs_aim = pytest.mark.skipif(
    sys.version_info >= (3, 13) and find_spec("aim") is None, reason="aim has no build for Python 3.13"
)


def only_run(folder: Path) -> Any:
    """Open the repository's one run for reading, once Aim has indexed it."""
    from aim import Repo, Run

    repo = Repo.from_path(str(folder))
    repo._recreate_index()
    (found,) = repo.list_all_runs()
    return Run(found, repo=repo, read_only=True)


def series(run: Any) -> dict[tuple[str, str], list[tuple[int, float, float]]]:
    """Give each series' (step, value, time) by its name and context."""
    found = {}
    for metric in run.metrics():
        steps, (values, _, times) = metric.data.numpy()
        points = list(zip(steps.tolist(), values.tolist(), times.tolist(), strict=True))
        found[metric.name, json.dumps(metric.context.to_dict())] = points
    return found
