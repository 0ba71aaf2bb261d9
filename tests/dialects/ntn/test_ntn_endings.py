"""S2.26, S2.27, S2.30: what tracking costs the loop, runs that fail, seeds side by side."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

import runfolio
from dialects.ntn.reading import logged, names
from followers.scripts import companions, eventually, run, start
from runfolio.dialects.ntn.trackers import create_tracker

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")

SCRIPT = """
import sys
from runfolio.dialects.ntn.trackers import create_tracker
tracker = create_tracker("x_seed0", {"bond_dim": 6})
tracker.log_hparams({"seed": 0})
for step in range(-1, 99):
    tracker.log_metrics({"loss": 1.0 / (step + 2)}, step)
"""


def test_S2_26_log_metrics_makes_two_frames_and_no_system_call() -> None:
    """A call of log_metrics is one Python call above the run's own, and opens, writes and imports nothing."""
    tracker = create_tracker("x_seed0", {})
    metrics = {"loss": 0.5, "r2": 0.5, "reg_loss": 0.6, "jitter": 0.05, "weight_norm_sq": 2.0}
    for step in range(10):
        tracker.log_metrics(metrics, step)  # the key set is known from here on
    calls: list[str] = []

    def watch(frame: Any, event: str, _: object) -> None:
        if event == "call":
            calls.append(frame.f_code.co_qualname)

    sys.setprofile(watch)
    try:
        for step in range(10, 20):
            tracker.log_metrics(metrics, step)
    finally:
        sys.setprofile(None)
    tracker.finalize()
    assert {name.rpartition(".")[2] for name in calls} <= {"log_metrics", "log", "boot_ns"}
    assert len(calls) <= 30
    assert len(logged("x_seed0")["metrics_log"]) == 20


def test_S2_27_exception_is_tracked() -> None:
    """A script that ends by an exception leaves a failed run whose file says so: success false, the message as error."""
    ran = run(SCRIPT + "raise ArithmeticError('matrix is singular')")
    assert ran.returncode == 1
    found = logged("x_seed0")
    assert found["summary"] == {"success": False, "error": "matrix is singular"}
    assert len(found["metrics_log"]) == 100
    assert runfolio.open_store().run("x_seed0").status == "failed"


def test_S2_27_exit_code_is_tracked() -> None:
    """A script that ends by sys.exit(3) leaves a failed run whose error says it."""
    assert run(SCRIPT + "sys.exit(3)").returncode == 3
    assert logged("x_seed0")["summary"] == {"success": False, "error": "exit code 3"}


def test_S2_27_script_that_forgets_finalize() -> None:
    """A script that ends well without finalize() leaves a finished run and the whole file."""
    assert run(SCRIPT + "tracker.log_summary({'r2': 0.5, 'success': True})").returncode == 0
    assert logged("x_seed0")["summary"] == {"r2": 0.5, "success": True}
    assert runfolio.open_store().run("x_seed0").status == "finished"


def waiting() -> Popen[str]:
    """Start the script, and give it when it has logged all."""
    process = start(SCRIPT + "print('logged', flush=True)\ninput()")
    assert process.stdout is not None and process.stdout.readline() == "logged\n"
    return process


def test_S2_27_kill_is_tracked() -> None:
    """After a SIGKILL the file has every record, and says success false, error "killed"."""
    process = waiting()
    process.kill()
    process.communicate()
    assert eventually(lambda: not companions())
    found = logged("x_seed0")
    assert [record["step"] for record in found["metrics_log"]] == list(range(-1, 99))
    assert (found["config"], found["hparams"]) == ({"bond_dim": 6}, {"seed": 0})
    assert found["summary"] == {"success": False, "error": "killed"}
    assert runfolio.open_store().run("x_seed0").status == "killed"


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, "killed: SIGTERM"), (signal.SIGINT, "killed: KeyboardInterrupt")]
)
def test_S2_27_signal_is_tracked(number: signal.Signals, error: str) -> None:
    """After another signal the error names it: a preempted job can be told from one that ran out of memory."""
    process = waiting()
    process.send_signal(number)
    process.communicate()
    assert eventually(lambda: not companions())
    assert logged("x_seed0")["summary"] == {"success": False, "error": error}


def test_S2_27_finalized_seeds_keep_their_word() -> None:
    """A seed that was finalized stays as it was, also where the launcher's run was its, and a later seed of the script fails."""
    script = """
from runfolio.dialects.ntn.trackers import create_tracker
for seed in range(3):
    tracker = create_tracker(f"x_seed{seed}", {})
    tracker.log_metrics({"loss": 0.5}, 0)
    if seed == 2:
        raise ValueError("seed 2 fails")
    tracker.log_summary({"seed": seed, "success": True})
    tracker.finalize()
"""
    Path("script.py").write_text(script)
    ran = run("import sys; from runfolio.cli.main import main; sys.argv[1:] = ['run', 'script.py']; main()")
    assert "seed 2 fails" in ran.stdout + ran.stderr
    assert eventually(lambda: not companions())
    assert [logged(f"x_seed{seed}")["summary"] for seed in range(3)] == [
        {"seed": 0, "success": True},
        {"seed": 1, "success": True},
        {"success": False, "error": "seed 2 fails"},
    ]


def test_S2_30_seeds_side_by_side() -> None:
    """Five processes that track into one folder leave five whole files and five runs of one experiment."""
    script = """
import sys
from runfolio.dialects.ntn.trackers import create_tracker
tracker = create_tracker(f"x_seed{sys.stdin.readline().strip()}", {})
for step in range(200):
    tracker.log_metrics({"loss": float(step)}, step)
tracker.finalize()
"""
    processes = [start(script) for _ in range(5)]
    for seed, process in enumerate(processes):
        assert process.stdin is not None
        process.stdin.write(f"{seed}\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert errors == [""] * 5
    assert names() == [f"x_seed{seed}" for seed in range(5)]
    assert all(len(logged(name)["metrics_log"]) == 200 for name in names())
    assert len(runfolio.open_store().runs(experiment="x")) == 5


def test_S2_30_seeds_of_one_process() -> None:
    """Each tracker of one process has a run of its own, also when they are open at once."""
    both = [create_tracker(f"x_seed{seed}", {}) for seed in range(2)]
    for step in range(3):
        for seed, tracker in enumerate(both):
            tracker.log_metrics({"loss": 10.0 * seed + step}, step)
    for tracker in both:
        tracker.finalize()
    assert [[r["loss"] for r in logged(f"x_seed{seed}")["metrics_log"]] for seed in range(2)] == [
        [0, 1, 2],
        [10, 11, 12],
    ]
