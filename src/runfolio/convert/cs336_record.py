"""Put a run together as cs336's record of an experiment: what its file says, and its tracker tells.

Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": Metrics Logged, Output Files.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from runfolio.convert.cs336_file import SNAPSHOT
from runfolio.convert.view import Snapshot
from runfolio.model.params import unflatten
from runfolio.query.best import best_of

_EMPTY: dict[str, Any] = dict.fromkeys(SNAPSHOT)


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
