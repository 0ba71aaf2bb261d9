"""What the tests of the lab dialect share: runs as its document shows them, and folders as the original tracker left them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker

Found = dict[str, Any]

SHOWN = {  # the five runs of the document's comparison
    "run_001": (0.001, 128, [256, 128, 64], 0.3, 0.7489, 0.8145, 0.4301),
    "run_002": (0.0001, 128, [256, 128, 64], 0.3, 0.7401, 0.8023, 0.4402),
    "run_003": (0.001, 128, [512, 256, 128], 0.3, 0.7523, 0.8201, 0.4203),
    "run_004": (0.01, 128, [256, 128, 64], 0.3, 0.7234, 0.7856, 0.4604),
    "run_005": (0.001, 128, [512, 256, 128, 64], 0.4, 0.7589, 0.8234, 0.4123),
}


def make_shown(tracker: ExperimentTracker, finish: bool = True) -> list[str]:
    """Make the runs of the document's comparison, with three epochs each."""
    return [_make(tracker, text, finish or text != "run_004") for text in SHOWN]


def _make(tracker: ExperimentTracker, text: str, finish: bool) -> str:
    rate, batch, dims, dropout, accuracy, auc, loss = SHOWN[text]
    run_id = tracker.create_run("ctr_model", tags={"version": "v1"}, description=f"like {text}")
    tracker.log_params(run_id, {"learning_rate": rate, "batch_size": batch, "hidden_dims": dims, "dropout": dropout})
    for epoch in range(3):
        tracker.log_metrics(run_id, {"train_loss": 0.7 - epoch / 10, "val_auc": auc - 0.01 + epoch / 1000}, step=epoch)
    tracker.log_metrics(run_id, {"test_accuracy": accuracy, "test_auc": auc, "test_loss": loss})
    if finish:
        tracker.finish_run(run_id, status="completed")
    return run_id


def compare(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "runfolio.dialects.lab.compare_experiments", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def script(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a script that has a tracker."""
    head = "import os, sys\nfrom runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker\n"
    command = [sys.executable, "-c", head + code, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def wait_for(holds: Callable[[], Any], what: str) -> Any:
    """Wait until something holds, for half a minute at most."""
    until = time.monotonic() + 30
    while not (found := holds()):
        assert time.monotonic() < until, f"never came: {what}"
        time.sleep(0.02)
    return found


def read_json(path: str | Path) -> Any:
    """Read a file as a strict parser does."""

    def refuse(name: str) -> None:
        raise AssertionError(f"bare {name} in {path}")

    return json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=refuse)


def index(base: str | Path = "experiments") -> list[Found]:
    """Read a folder's metadata.json; empty where there is none yet."""
    path = Path(base, "metadata.json")
    found: list[Found] = read_json(path) if path.exists() else []
    return found


def write_old(base: str | Path, entries: list[Found], runs: dict[str, tuple[Found | None, Found | None]]) -> None:
    """Write a folder as the original tracker does: json.dump with indent 2, so NaN stands bare."""
    Path(base).mkdir(parents=True, exist_ok=True)
    Path(base, "metadata.json").write_text(json.dumps(entries, indent=2), encoding="utf-8")
    for text, (params, metrics) in runs.items():
        folder = Path(base, "runs", text)
        (folder / "artifacts").mkdir(parents=True)
        for name, content in (("params.json", params), ("metrics.json", metrics)):
            if content is not None:
                (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")


def old_entry(number: int, **more: Any) -> Found:
    """Give an entry of the original's index."""
    text = f"run_{number:03d}"
    return {
        "run_id": text,
        "experiment_name": "ctr_model",
        "created_at": f"2024-11-15T10:30:{number % 60:02d}",
        "finished_at": "2024-11-15T11:00:00",
        "status": "completed",
        "tags": {"version": "v1"},
        "description": f"old number {number}",
        "run_dir": os.path.join("experiments", "runs", text),
        **more,
    }


def history(*values: Any, at: str = "2024-11-15T10:31", last: Any = None) -> list[Found]:
    """Give a metric's history in the original's form; `last` comes without a step."""
    found = [{"step": step, "value": value, "timestamp": f"{at}:{step:02d}"} for step, value in enumerate(values)]
    return found if last is None else [*found, {"step": None, "value": last, "timestamp": f"{at}:59"}]
