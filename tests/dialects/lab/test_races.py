"""Many processes in one folder: each run has a number of its own, and the index has them all."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import runfolio
from dialects.lab.labs import index, script, wait_for
from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker

SCRIPT = """
t = ExperimentTracker()
print('ready', flush=True)
sys.stdin.readline()
r = t.create_run('race', tags={'who': sys.argv[1]})
t.log_metrics(r, {'who': int(sys.argv[1])}, step=0)
open('w%s' % sys.argv[1], 'w').write(sys.argv[1])
t.log_artifact(r, 'w%s' % sys.argv[1], 'mine')
t.finish_run(r)
print(r)
"""


def test_eight_processes_at_once() -> None:
    """Eight scripts that begin runs at the same moment get the numbers 1 to 8; metadata.json has all of them, completed."""
    scripts = [script(SCRIPT, str(place)) for place in range(8)]
    for each in scripts:
        assert each.stdout is not None and each.stdout.readline() == "ready\n"
    for each in scripts:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    texts = [each.communicate(timeout=120)[0].strip() for each in scripts]
    assert sorted(texts) == [f"run_{number:03d}" for number in range(1, 9)]
    complete = [(text, "completed") for text in sorted(texts)]
    wait_for(
        lambda: [(entry["run_id"], entry["status"]) for entry in index()] == complete, "all eight in metadata.json"
    )
    tracker = ExperimentTracker()
    for place, text in enumerate(texts):
        run = tracker.get_run(text)
        assert run is not None
        assert (run["tags"]["who"], run["metrics"]["who"][0]["value"]) == (str(place), place)
        assert Path(run["run_dir"], "artifacts/mine").read_text() == str(place)
    assert not list(Path("experiments").rglob("*.runfolio"))


def test_views_are_live() -> None:
    """While a run goes on, its files tell what it has logged so far, and the index that it is running."""
    tracker = ExperimentTracker()
    run_id = tracker.create_run("live")
    tracker.log_metrics(run_id, {"loss": 0.5}, step=0)
    metrics = Path("experiments/runs", run_id, "metrics.json")
    wait_for(lambda: metrics.exists() and '"value": 0.5' in metrics.read_text(), "the value in metrics.json")
    wait_for(lambda: [entry["status"] for entry in index()] == ["running"], "the run in metadata.json")
    tracker.log_metrics(run_id, {"loss": 0.25}, step=1)
    wait_for(lambda: '"value": 0.25' in metrics.read_text(), "the next value in metrics.json")


def test_a_hundred_thousand_calls_are_no_files() -> None:
    """Logging writes nothing into the folder: the files are rendered beside the script, and whole at the end."""
    tracker = ExperimentTracker()
    run_id = tracker.create_run("long")
    for step in range(2000):
        tracker.log_metrics(run_id, {"loss": 1 / (step + 1), "acc": step / 2000}, step=step)
    tracker.finish_run(run_id)
    text = Path("experiments/runs", run_id, "metrics.json").read_text()
    assert text.count('"step": 1999') == 2
    assert sum(1 for _ in Path(runfolio.open_store().run("run_001").folder).rglob("*.jnl")) <= 2


def test_disabled_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With RUNFOLIO_MODE=disabled each call works and nothing is written but the folder."""
    code = """
t = ExperimentTracker()
r = t.create_run('a')
t.log_params(r, {'a': 1}); t.log_params(r, {'a': 2})
t.log_metrics(r, {'loss': 1.0}); t.log_metrics(r, {'loss': 1.0}, step=1)
t.finish_run(r)
print(t.list_runs(), t.get_best_run('loss'))
"""
    monkeypatch.setenv("RUNFOLIO_MODE", "disabled")
    out, _ = script(code).communicate(timeout=60)
    assert out == "[] None\n"
    assert not Path("store").exists()
    assert [path.name for path in Path("experiments").rglob("*")] == ["runs"]


def test_in_a_launched_script() -> None:
    """Under `runfolio run` the first run is the launcher's, with the script's output; a second is one of its own."""
    Path("train.py").write_text("""
from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker
t = ExperimentTracker()
for auc in (0.5, 0.7):
    r = t.create_run("launched")
    t.log_metrics(r, {"auc": auc})
    t.finish_run(r)
    print("made", r)
""")
    subprocess.run([sys.executable, "-m", "runfolio", "run", "train.py"], check=True, capture_output=True)
    tracker = ExperimentTracker()
    assert [(run["run_id"], run["status"]) for run in tracker.list_runs("launched")] == [
        ("run_001", "completed"), ("run_002", "completed"),
    ]  # fmt: skip
    first = runfolio.open_store().run("run_001")
    assert Path(first.folder, "output.log").read_text() == "made run_001\nmade run_002\n"
    assert len(runfolio.open_store().runs()) == 2


def test_threads_share_a_run() -> None:
    """Threads that write to one run of another process open one journal, and lose nothing."""
    script("ExperimentTracker().create_run('shared')\nos._exit(0)").communicate(timeout=60)
    tracker = ExperimentTracker()
    threads = [
        threading.Thread(target=lambda at=place: [tracker.log_metrics("run_001", {"n": at}) for _ in range(20)])
        for place in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run = tracker.get_run("run_001")
    assert run is not None
    values = [entry["value"] for entry in run["metrics"]["n"]]
    assert sorted(values) == sorted(list(range(4)) * 20)
    writers = list(Path(runfolio.open_store().run("run_001").folder).rglob("*.jnl"))
    assert len(writers) <= 3  # its maker's, its surroundings', ours


def test_a_store_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store cannot be made the script goes on: a number cannot be claimed, the run has a name of its own, and a warning says so."""
    Path("blocked").write_text("a file where the store should be")
    monkeypatch.setenv("RUNFOLIO_DIR", str(tmp_path / "blocked" / "store"))
    tracker = ExperimentTracker()
    with pytest.warns(runfolio.RunfolioWarning, match="no number can be claimed"):
        run_id = tracker.create_run("a")
    assert run_id.startswith("run_") and len(run_id) == 12
    tracker.log_params(run_id, {"lr": 0.1})
    tracker.log_metrics(run_id, {"loss": 0.5}, step=0)
    tracker.finish_run(run_id)
