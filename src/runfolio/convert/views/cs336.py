"""The file of cs336's ExperimentTracker: `experiment_<name>_<time>.json`, one snapshot a line.

Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": Metrics Logged, Output Files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from runfolio.convert import strict
from runfolio.convert.cs336_record import log_of
from runfolio.convert.view import File, Snapshot


def render(snapshot: Snapshot, path: str, options: Mapping[str, Any]) -> Iterable[File]:
    """Render the one file.

    Args:
        options: `started`, when the tracker began, ISO 8601 with the offset from UTC.
    """
    yield File(path, _text(log_of(snapshot, options)))


def _text(log: dict[str, Any]) -> str:
    """Write the record as strict JSON: the history one snapshot a line, by one call of the encoder in C."""
    names = list(log)
    at = names.index("metrics_history")
    before, after = ({name: log[name] for name in part} for part in (names[:at], names[at + 1 :]))
    return (
        strict.dumps(before, indent=2).removesuffix("\n}")
        + f',\n  "metrics_history": {_rows(log["metrics_history"])},\n'
        + strict.dumps(after, indent=2).removeprefix("{\n")
        + "\n"
    )


def _rows(history: list[dict[str, Any]]) -> str:
    """Write the snapshots. Their values are numbers or None: there is no text in which the marks replaced here could stand."""
    if not history:
        return "[]"
    text = json.dumps(history).replace("}, {", "},\n    {")
    if "NaN" in text or "Infinity" in text:
        text = text.replace("NaN", '"NaN"').replace("Infinity", '"Infinity"').replace('-"Infinity"', '"-Infinity"')
    return f"[\n    {text[1:-1]}\n  ]"
