"""The file of cs336's ExperimentTracker: `experiment_<name>_<time>.json`, one snapshot a line.

Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": Metrics Logged, Output Files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from runfolio.convert import strict
from runfolio.convert.view import File, Snapshot
from runfolio.model.params import unflatten
from runfolio.query.best import best_of

SNAPSHOT = (
    "iteration", "gradient_step", "wallclock_time", "train_loss", "val_loss", "learning_rate", "tokens_per_sec", "iter_time_ms",
)  # fmt: skip
_EMPTY: dict[str, Any] = dict.fromkeys(SNAPSHOT)


def render(snapshot: Snapshot, path: str, options: Mapping[str, Any]) -> Iterable[File]:
    """Render the one file.

    Args:
        options: `started`, when the tracker began, ISO 8601 with the offset from UTC.
    """
    yield File(path, _text(log_of(snapshot, options)))


def log_of(snapshot: Snapshot, options: Mapping[str, Any]) -> dict[str, Any]:
    """Put a run together as the document's record of an experiment."""
    summary, history = snapshot.state.summary, _history(snapshot)
    started = _started(snapshot, options)
    seconds = _seconds(snapshot, started)
    finals = {name: summary.get(f"final_{name}") for name in ("train_loss", "val_loss")}
    return {
        "config": unflatten(snapshot.state.params),
        "start_time": started.isoformat(),
        "end_time": None if seconds is None else (started + timedelta(seconds=seconds)).isoformat(),
        "duration_seconds": seconds,
        "metrics_history": history,
        **{f"best_{name}": _best(name, history, final) for name, final in finals.items()},
        **{f"final_{name}": final for name, final in finals.items()},
        "notes": snapshot.state.notes or "",
    }


def _history(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Make a snapshot of each call of `log_metrics`; an evaluation fills that of its iteration, or makes one.

    A call of the tracker carries a wallclock time, one of `log_metrics` a learning rate too; what else was logged to the run is not of this file.
    """
    history: list[dict[str, Any]] = []
    latest: dict[int | None, dict[str, Any]] = {}
    for call in snapshot.calls:
        values = call.values
        if "wallclock_time" not in values:
            continue
        if "learning_rate" not in values and call.step in latest:
            _fill(latest[call.step], values)
            continue
        row = {**_EMPTY, **values}
        row["iteration"] = call.step
        latest[call.step] = row
        history.append(row)
    return history


def _fill(row: dict[str, Any], values: Mapping[str, Any]) -> None:
    if "val_loss" in values:
        row["val_loss"] = values["val_loss"]
    if row["train_loss"] is None:
        row["train_loss"] = values.get("train_loss")


def _best(name: str, history: list[dict[str, Any]], final: Any) -> float | None:
    values = [row[name] for row in history]
    best = best_of(((None, value) for value in (*values, final) if value is not None), "min")
    return None if best is None else best[1]


def _started(snapshot: Snapshot, options: Mapping[str, Any]) -> datetime:
    if "started" in options:
        return datetime.fromisoformat(options["started"])
    return datetime.fromtimestamp((snapshot.created_ns or 0) / 1e9, UTC)


def _seconds(snapshot: Snapshot, started: datetime) -> float | None:
    """Say how long it took: as `finish` told it, else up to the last sign of life; None while it lives."""
    told = snapshot.state.summary.get("duration_seconds")
    if isinstance(told, (int, float)):
        return told
    ended_ns = snapshot.ended_ns
    return None if ended_ns is None else max(0.0, ended_ns / 1e9 - started.timestamp())


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
