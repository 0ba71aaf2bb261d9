"""The example trains, sweeps, and reloads its best model."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dialects.lab.labs import compare, index
from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "lab"


def run(*arguments: str) -> str:
    """Run a script of the example here, in its short form."""
    env = {**os.environ, "EXAMPLE_SHORT": "1", "PYTHONPATH": str(EXAMPLE), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_example_in_short() -> None:
    """One run by the config, four of a sweep; the best is rebuilt from its params and artifact, and measures the same."""
    pytest.importorskip("sklearn")
    assert "Experiment tracked: run_001" in run(
        "-m", "ml.training.train", "--config", str(EXAMPLE / "configs/ctr.yaml")
    )
    out = run(str(EXAMPLE / "sweep.py"))
    found = re.search(r"(run_\d+): test AUC ([\d.]+), of the reloaded model ([\d.]+)", out)
    assert found is not None and found[2] == found[3]
    assert float(found[2]) > 0.8
    tracker = ExperimentTracker()
    assert [run["status"] for run in tracker.list_runs()] == ["completed"] * 5
    assert [entry["run_id"] for entry in index()] == [f"run_{number:03d}" for number in range(1, 6)]
    whole = tracker.get_run("run_001")
    assert whole is not None
    assert [entry["step"] for entry in whole["metrics"]["val_auc"]] == [1, 2, 3]
    assert f"Run ID: {found[1]}" in compare("ctr_model_sweep").stdout
    assert not Path("model_best.npz").exists()
