"""A script that asks for a sink: the process beside it feeds the real tracker to the end, also after a SIGKILL."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runfolio.model.run_state import Sent
from runfolio.store.follow import Follower
from runfolio.store.layout import find
from sinks.aim_repo import needs_aim, only_run, series
from sinks.entries import WAIT_S
from sinks.wandb_file import read

STEPS = 300
SCRIPT = """
import json, os, signal, sys
import runfolio
from runfolio.sdk.following import feed_sink

kind, options, end = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
run = runfolio.start(experiment="digits", name="mlp-64", params={"lr": 0.1})
print(run.id, flush=True)
feed_sink(run, kind, **options)
for step in range(-1, %d - 1):
    run.log({"loss": step / 8, "epoch": step}, step=step)
run.summary["r2"] = 0.5
if end == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
run.finish()
"""
POINTS = [(step, step / 8) for step in range(-1, STEPS - 1)]


def run_script(tmp_path: Path, kind: str, options: dict[str, str], end: str = "finish") -> Sent:
    """Run a script that feeds this kind; return what the sink has taken, when its end is told in the run."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT % STEPS, encoding="utf-8")
    command = [sys.executable, str(path), kind, json.dumps(options), end]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=WAIT_S, check=False)
    follower = Follower(find(None), done.stdout.split()[0])
    deadline = time.monotonic() + 2 * WAIT_S
    while not follower.state.sent:
        assert time.monotonic() < deadline, "the end of the sink was never told"
        threading.Event().wait(0.05)
        follower.poll()
    (sent,) = follower.state.sent
    return sent


def of_tensorboard(folder: Path) -> list[tuple[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return [(event.step, event.value) for event in found.Scalars("loss")]


def of_aim(folder: Path) -> list[tuple[int, float]]:
    return [point[:2] for point in series(only_run(folder))["loss", "{}"]]


def of_mlflow(folder: Path) -> list[tuple[int, float]]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    assert run.info.status in ("FINISHED", "KILLED")
    return sorted((point.step, point.value) for point in client.get_metric_history(run.info.run_id, "loss"))


def of_wandb(folder: Path) -> list[tuple[int, float]]:
    (path,) = folder.glob("wandb/offline-run-*/*.wandb")
    found = read(path)
    assert found.summary["r2"] == 0.5
    assert found.exit_code is not None
    return [(row["step"], row["loss"]) for row in found.rows]


CASES: dict[str, tuple[dict[str, str], Callable[[Path], list[tuple[int, float]]]]] = {
    "tensorboard": ({"log_dir": "there"}, of_tensorboard),
    "aim": ({"repo": "there"}, of_aim),
    "mlflow": ({"tracking_uri": "sqlite:///there/mlflow.db"}, of_mlflow),
    "wandb": ({"dir": "there"}, of_wandb),
}


@pytest.fixture
def there(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of the other tracker, with its empty store where making that takes long."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    (tmp_path / "there").mkdir()
    match request.node.callspec.params.get("kind"):
        case "aim":
            shutil.copytree(request.getfixturevalue("empty_repo"), tmp_path / "there" / ".aim")
        case "mlflow":
            shutil.copy(request.getfixturevalue("empty_store"), tmp_path / "there" / "mlflow.db")
    return tmp_path / "there"


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[needs_aim] if kind == "aim" else []) for kind in CASES])
def test_a_script_feeds_the_real_tracker(kind: str, tmp_path: Path, there: Path) -> None:
    """All points of a script stand in the other tracker, and the run tells how many."""
    options, read_back = CASES[kind]
    sent = run_script(tmp_path, kind, options)
    assert (sent.sink, sent.sent, sent.dropped, sent.error) == (kind, STEPS, 0, None)
    assert read_back(there) == POINTS


@pytest.mark.parametrize("kind", ["tensorboard"])
def test_a_killed_script_is_fed_to_its_last_point(kind: str, tmp_path: Path, there: Path) -> None:
    """After a SIGKILL in the loop the other tracker gets every point that `log` had returned for."""
    options, read_back = CASES[kind]
    sent = run_script(tmp_path, kind, options, end="kill")
    assert (sent.sent, sent.dropped, sent.error) == (STEPS, 0, None)
    assert read_back(there) == POINTS
