"""Measure the dialects: 100,000 calls of each one's log method beside `run.log` of the same metrics, and the last view beside `json.dumps`.

    python bench/dialects.py [--calls 100000] [--rounds 5] [NAME…]

Each side runs in a process of its own, the sides in turn; medians of ratios within a round. Must: calls ≤ 3×, view ≤ 2×. Lower is better.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

NAMES = ("yanex", "cs336", "ntn", "lab", "vibe_rl")
CALLS_MUST, VIEW_MUST = 3.0, 2.0
Log = Callable[[int], None]


def values(step: int) -> tuple[float, float, float]:
    return 1.0 / (step + 1), 0.5 + step * 1e-6, 3e-4


def yanex() -> Log:
    from runfolio.dialects import yanex

    def log(step: int) -> None:
        loss, acc, rate = values(step)
        yanex.log_metrics({"loss": loss, "acc": acc, "lr": rate}, step=step)

    return log


def cs336() -> Log:
    from runfolio.dialects.cs336.experiment_log import ExperimentConfig, ExperimentTracker

    tracker = ExperimentTracker(ExperimentConfig(experiment_name="bench"))
    tracker.start()

    def log(step: int) -> None:
        loss, acc, rate = values(step)
        tracker.log_metrics(iteration=step, train_loss=loss, learning_rate=rate, tokens_per_sec=acc, iter_time_ms=1.5)

    return log


def ntn() -> Log:
    from runfolio.dialects.ntn.trackers import create_tracker

    tracker = create_tracker("bench_seed0", {"lr": 0.1}, backend="file")

    def log(step: int) -> None:
        loss, acc, rate = values(step)
        tracker.log_metrics({"loss": loss, "acc": acc, "lr": rate}, step)

    return log


def lab() -> Log:
    from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker

    tracker = ExperimentTracker()
    run_id = tracker.create_run("bench")

    def log(step: int) -> None:
        loss, acc, rate = values(step)
        tracker.log_metrics(run_id, {"loss": loss, "acc": acc, "lr": rate}, step=step)

    return log


def vibe_rl() -> Log:
    from runfolio.dialects.vibe_rl.metrics import MetricsLogger
    from runfolio.dialects.vibe_rl.run_dir import RunDir

    logger = MetricsLogger(RunDir("bench").log_path())

    def log(step: int) -> None:
        loss, acc, rate = values(step)
        logger.write({"step": step, "loss": loss, "acc": acc, "lr": rate})

    return log


def native(like: str) -> Log:
    """Log the same metrics by `run.log`: of cs336 and vibe_rl also those that they add."""
    import runfolio

    run = runfolio.start(experiment="bench")
    added = {"cs336": {"gradient_step": 0, "wallclock_time": 1.0, "iter_time_ms": 1.5}, "vibe_rl": {"wall_time": 1.0}}
    more = added.get(like, {})

    def log(step: int) -> None:
        loss, acc, rate = values(step)
        run.log({"loss": loss, "acc": acc, "lr": rate, **more}, step=step)

    return log


def side(name: str, like: str, calls: int) -> dict[str, float]:
    """Time the calls, the first tenth left out; then the last view against json.dumps of what stands in it."""
    log = native(like) if name == "native" else globals()[name]()
    for step in range(calls // 10):
        log(step)
    begin = time.perf_counter()
    for step in range(calls // 10, calls):
        log(step)
    found = {"calls_us": (time.perf_counter() - begin) / (calls - calls // 10) * 1e6}
    if name != "native":
        found |= _view()
    return found


def _view() -> dict[str, float]:
    import gc

    import runfolio
    from runfolio.convert.view import renderer, snapshot_of
    from runfolio.store.run_files import RunFiles

    run = runfolio.active_run()
    assert run is not None
    files = RunFiles(run.pen.layout, run.id)
    files.refresh()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # as in the companion
    ours, theirs = [], []
    for _ in range(3):
        begin = time.perf_counter()
        snapshot = snapshot_of(files)
        view = snapshot.state.views[0]
        rendered = list(renderer(view.what)(snapshot, view.path, view.options))
        ours.append(time.perf_counter() - begin)
        big = max(rendered, key=lambda file: len(file.content))
        records = [json.loads(line) for line in big.content.splitlines()] if big.lines else json.loads(big.content)
        indent = None if big.lines or "\n" not in big.content.strip() else 2
        begin = time.perf_counter()
        json.dumps(records, indent=indent)
        theirs.append(time.perf_counter() - begin)
    return {"view_s": min(ours), "dumps_s": min(theirs)}


def one(name: str, like: str, calls: int) -> dict[str, float]:
    """Run a side in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "RUNFOLIO_DIR": f"{folder}/store", "XDG_CACHE_HOME": f"{folder}/cache", "HOME": folder}
        command = [sys.executable, os.path.abspath(__file__), "--side", name, "--like", like, "--calls", str(calls)]
        ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def row(name: str, rounds: int, calls: int) -> tuple[str, bool]:
    """Measure one dialect; return its line, and whether both gates are met."""
    pairs = [(one(name, name, calls), one("native", name, calls)) for _ in range(rounds)]
    ratio = statistics.median(ours["calls_us"] / theirs["calls_us"] for ours, theirs in pairs)
    view = statistics.median(ours["view_s"] / ours["dumps_s"] for ours, _ in pairs)
    ours, theirs = (statistics.median(pair[at]["calls_us"] for pair in pairs) for at in (0, 1))
    seconds = statistics.median(pair[0]["view_s"] for pair in pairs)
    line = f"| {name} | {ratio:.2f} × | {ours:.2f} µs against {theirs:.2f} µs | {view:.2f} × | {seconds:.2f} s |"
    return line, ratio <= CALLS_MUST and view <= VIEW_MUST


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=", ".join(NAMES))
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--like", help=argparse.SUPPRESS)
    asked: Any = parser.parse_args()
    if asked.side:
        print(json.dumps(side(asked.side, asked.like, asked.calls)), flush=True)
        return 0
    print(
        f"{asked.calls:,} calls, medians of {asked.rounds} rounds; must: calls ≤ {CALLS_MUST:g} ×, view ≤ {VIEW_MUST:g} ×\n"
    )
    print("| dialect | calls against run.log | | last view against json.dumps | |\n| --- | --: | --- | --: | --: |")
    met = True
    for name in asked.names or NAMES:
        line, good = row(name, asked.rounds, asked.calls)
        met = met and good
        print(line, flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
