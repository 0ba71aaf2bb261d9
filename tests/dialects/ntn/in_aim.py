"""Read what Aim was fed, with Aim."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from followers.scripts import companions

WAIT_S = 120.0  # loading Aim takes its time
needs_aim = pytest.mark.skipif(
    sys.version_info >= (3, 13) and find_spec("aim") is None, reason="aim has no build for Python 3.13"
)


def wait_until_fed() -> None:
    """Wait until the processes beside the scripts have ended: then all is fed."""
    until = time.monotonic() + WAIT_S
    while companions():
        assert time.monotonic() < until, "the companion did not end"
        time.sleep(0.05)


def aim_runs(folder: str | Path = ".") -> list[Any]:
    """Give the runs of the repository in a folder, by their names."""
    from aim import Repo, Run

    repo = Repo.from_path(str(folder))
    repo._recreate_index()
    runs = [Run(found, repo=repo, read_only=True) for found in repo.list_all_runs()]
    return sorted(runs, key=lambda run: str(run.name))


def aim_names(folder: str | Path = ".") -> list[str]:
    """Give the names of the runs of the repository in a folder."""
    return [run.name for run in aim_runs(folder)]


def points(run: Any) -> dict[str, list[tuple[int, float]]]:
    """Give the steps and values of each metric."""
    found = {}
    for metric in run.metrics():
        steps, (values, _, _) = metric.data.numpy()
        found[metric.name] = list(zip(steps.tolist(), values.tolist(), strict=True))
    return found
