"""Make experiments, ours and such as the original program left them, and read their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runfolio.dialects.cs336.experiment_analysis import ExperimentAnalyzer
from runfolio.dialects.cs336.experiment_log import ExperimentConfig, ExperimentTracker

FOLDER = Path("experiment_logs")
FIELDS = (
    "iteration", "gradient_step", "wallclock_time", "train_loss", "val_loss", "learning_rate", "tokens_per_sec", "iter_time_ms",
)  # fmt: skip


def started(name: str = "tiny", **config: Any) -> ExperimentTracker:
    """Give a tracker that has started."""
    tracker = ExperimentTracker(ExperimentConfig(experiment_name=name, **config))
    tracker.start()
    return tracker


def saved(
    name: str = "tiny", train: tuple[float, ...] = (3.0, 2.0), val: tuple[float, ...] = (), **config: Any
) -> Path:
    """Track a short experiment to its end; give its file."""
    tracker = started(name, **config)
    for iteration, loss in enumerate(train):
        tracker.log_metrics(iteration, train_loss=loss, learning_rate=1e-3, tokens_per_sec=100.0, iter_time_ms=5.0)
    for iteration, loss in enumerate(val):
        tracker.log_eval(iteration, val_loss=loss)
    tracker.finish()
    return tracker.save()


def strict(path: Path) -> Any:
    """Read a file as a strict parser does: bare NaN is no JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no strict JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def history(tracker: ExperimentTracker) -> list[dict[str, Any]]:
    """Save, and read the snapshots out of the file."""
    found: list[dict[str, Any]] = strict(tracker.save())["metrics_history"]
    return found


def loaded() -> ExperimentAnalyzer:
    """Give an analyzer that has loaded all."""
    analyzer = ExperimentAnalyzer()
    analyzer.load_all()
    return analyzer


# ------------------------------------------------------------------------------------------- what the original program left


def old_snapshot(iteration: int, **values: Any) -> dict[str, Any]:
    """Give a snapshot as the original program wrote it."""
    return {
        "iteration": iteration,
        "gradient_step": iteration + 1,
        "wallclock_time": 0.25 * (iteration + 1),
        "train_loss": 4.0 - iteration / 10,
        "val_loss": None,
        "learning_rate": 6e-4,
        "tokens_per_sec": 51200.0,
        "iter_time_ms": 250.0,
        "batch_size": 64,
        "context_length": 256,
        **values,
    }


def old_log(name: str, snapshots: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Give a record as the original program wrote it, with the fields that the document does not list."""
    config = {
        "experiment_name": name,
        "model_name": "TransformerLM",
        "d_model": 512,
        "rope_theta": 10000.0,
        "optimizer_name": "AdamW",
        "eps": 1e-8,
        "seed": 42,
        "device": "cuda",
    }
    return {
        "config": config,
        "start_time": "2025-02-22T14:05:30.123456",
        "end_time": "2025-02-22T14:05:40.123456",
        "duration_seconds": 10.0,
        "metrics_history": snapshots,
        "final_train_loss": 3.5,
        "final_val_loss": 3.75,
        "best_train_loss": 3.5,
        "best_val_loss": 3.75,
        "notes": "",
        **more,
    }


def write_old(log: dict[str, Any], time: str = "20250222_140530", folder: Path = FOLDER) -> Path:
    """Write a record as the original program did: Python's own JSON, bare NaN and all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"experiment_{log['config']['experiment_name']}_{time}.json"
    path.write_text(json.dumps(log, indent=2))
    return path
