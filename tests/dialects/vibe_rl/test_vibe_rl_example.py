"""The runners of the vibe-rl document, in their short form: S4.29."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from dialects.vibe_rl.keeping import lines_of

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "vibe_rl"

# Of the document's table.
METRICS = {
    "dqn": {"loss", "q_mean", "epsilon"},
    "ppo": {"actor_loss", "critic_loss", "entropy", "approx_kl", "clip_fraction"},
    "sac": {"actor_loss", "critic_loss", "alpha", "entropy", "q_mean"},
}


@pytest.mark.parametrize("name", METRICS)
def test_S4_29_the_runners_log_the_documented_metrics(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each runner takes config and run_dir, and logs the metrics of its algorithm at every log_interval, as a run of the store."""
    pytest.importorskip("gymnasium", reason="needs gymnasium")
    monkeypatch.setenv("EXAMPLE_SHORT", "1")
    done = subprocess.run([sys.executable, EXAMPLE / "train.py", name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (run,) = runfolio.open_store().runs()
    assert (run.experiment, run.status, run.params["algo"]) == (f"{name}_cartpole", "finished", name)
    (folder,) = Path("runs").iterdir()
    lines = lines_of(folder / "logs" / "metrics.jsonl")
    steps = [line["step"] for line in lines]
    assert [step // run.params["log_interval"] for step in steps] == list(range(1, len(steps) + 1))
    assert METRICS[name] <= set(lines[-1])
    assert steps[-1] == run.params["total_steps"]
    assert f" [vibe_rl] step {steps[-1]}/{steps[-1]} (100.0%) | " in done.stderr
    assert (folder / "checkpoints" / "policy.npz").stat().st_size > 1000


def test_S4_29_without_a_run_dir_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runners work without a folder, and leave no file and no run then; they return state and metrics."""
    pytest.importorskip("gymnasium", reason="needs gymnasium")
    program = (
        "from dqn import DqnConfig, train_dqn\n"
        "state, metrics = train_dqn(DqnConfig(total_steps=300, log_interval=100, learning_starts=100))\n"
        "print(state.act(__import__('numpy').zeros(4)), sorted(metrics))"
    )
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLE))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {f"{action} ['epsilon', 'loss', 'q_mean']" for action in (0, 1)}
    assert not Path("runs").exists()
    assert not Path("store").exists()
