"""One measurement in a fresh process of the tracker's own environment: `worker.py TRACKER TASK ROOT OPTIONS RESULT`."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from bench.peers.tracker import Tracker
from bench.peers.trackers import load

POINTS = 20_000


def hot(tracker: Tracker, root: str, shape: str, calls: int, seconds_max: float) -> dict[str, Any]:
    """Time each call of a loop, and the finish."""
    from bench.calls import digest, metrics_of, time_calls

    tracker.start(root, "run", {})
    took = time_calls(tracker.log, metrics_of(shape, calls), seconds_max=seconds_max)
    begin = time.perf_counter_ns()
    tracker.finish()
    return digest(took, time.perf_counter_ns() - begin)


def e2e(tracker: Tracker, root: str) -> dict[str, Any]:
    """Start, log once, finish; the harness times the process."""
    tracker.start(root, "run", {})
    tracker.log({"m0": 1.0}, step=0)
    tracker.finish()
    return {}


def make_one(tracker: Tracker, root: str) -> dict[str, Any]:
    """Write one run of one metric."""
    from bench.calls import metrics_of

    if not tracker.make_one(root, [metrics["m0"] for metrics in metrics_of("one", POINTS)]):
        tracker.start(root, "run", {})
        for step, metrics in enumerate(metrics_of("one", POINTS)):
            tracker.log(metrics, step=step)
        tracker.finish()
    tracker.settle(root)
    return {}


def make_many(tracker: Tracker, root: str, runs: int) -> dict[str, Any]:
    """Write the many runs."""
    begin = time.perf_counter()
    tracker.make_many(root, runs)
    tracker.settle(root)
    return {"make_s": time.perf_counter() - begin}


def read(tracker: Tracker, root: str) -> dict[str, Any]:
    """Time reading the whole history of m0."""
    tracker.open(root)
    begin = time.perf_counter()
    points = tracker.read(root, "m0")
    return {"read_ms": (time.perf_counter() - begin) * 1e3, "points": points}


def query(tracker: Tracker, root: str) -> dict[str, Any]:
    """Time the three questions to many runs, the first one coldest."""
    tracker.open(root)
    seen: dict[str, Any] = {}
    for name, ask in (
        ("search", lambda: tracker.search(root)),
        ("metric", lambda: tracker.read(root, "m0")),
        ("best", lambda: tracker.best(root)),
    ):
        begin = time.perf_counter()
        seen[name] = ask()
        seen[name + "_ms"] = (time.perf_counter() - begin) * 1e3
    return seen


def crash(tracker: Tracker, root: str, calls: int, seconds_max: float, counter: str) -> dict[str, Any]:
    """Log until killed, by itself after `calls`; the counter file holds the calls that returned."""
    import mmap
    import signal

    with open(counter, "w+b") as file:
        file.truncate(8)
        acknowledged = mmap.mmap(file.fileno(), 8)
    tracker.start(root, "run", {})
    end = time.monotonic() + seconds_max
    for step in range(calls):
        tracker.log({"m0": step / 7}, step=step)
        acknowledged[:] = (step + 1).to_bytes(8, "little")
        if time.monotonic() > end:
            break
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def recover(tracker: Tracker, root: str) -> dict[str, Any]:
    """Read what is there after the kill."""
    tracker.settle(root)
    return read(tracker, root)


def main() -> None:
    """Do the task and write its result."""
    name, task, root, options, result = sys.argv[1:]
    seen = globals()[task](load(name), root, **json.loads(options))
    with open(result, "w") as file:
        json.dump(seen, file)


if __name__ == "__main__":
    main()
