"""Read the documented file of a run, as its users do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.sdk.following import settle

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")


def strict(text: str) -> Any:
    """Read JSON as a strict parser does: bare NaN is none."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no strict JSON")

    return json.loads(text, parse_constant=refuse)


def metrics_file(run_id: str) -> Path:
    """Give the documented path, below the home folder."""
    return Path.home() / ".yanex" / "experiments" / run_id[:8] / "metrics.json"


def records() -> list[dict[str, Any]]:
    """Read the file of the active run, exact as of now."""
    run = runfolio.active_run()
    assert run is not None
    assert settle(run)
    found: list[dict[str, Any]] = strict(metrics_file(run.id).read_text(encoding="utf-8"))
    return found


def rows() -> list[tuple[int, dict[str, Any]]]:
    """Give the step and the metrics of each record."""
    return [(record["step"], {key: value for key, value in record.items() if key not in _OURS}) for record in records()]


_OURS = ("step", "timestamp", "first_timestamp")
