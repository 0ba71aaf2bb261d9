"""Ask a store of 10,000 runs × 20 metrics × 1,000 steps (2·10⁸ points): filter, curves, statistics, the index from cold, memory.

    python bench/ask.py [--runs 10000] [--folder ~/.cache/runfolio-bench/ask] [--rounds 5]

The store is made once and kept. Each question is asked in a fresh process; medians. The time that Python and the imports take is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from typing import Any

METRICS, STEPS = 20, 1_000


def make(folder: str, runs: int) -> float:
    """Make the store, if it is not there; return the seconds that it took."""
    import runfolio

    done = os.path.join(folder, f"made-{runs}")
    if os.path.exists(done):
        return 0.0
    shutil.rmtree(folder, ignore_errors=True)
    begin = time.perf_counter()
    names = [f"m{number}" for number in range(METRICS)]
    for number in range(runs):
        rng = random.Random(number)
        params = {
            "lr": 10 ** -rng.uniform(1, 4),
            "width": rng.choice([32, 64, 128]),
            "seed": number % 10,
            "opt": rng.choice(["sgd", "adam"]),
        }
        with runfolio.start(
            "ask", f"run{number:05}", params, store=os.path.join(folder, "store"), capture=False, fsync_every_s=3600
        ) as run:
            base = [rng.random() + 1 for _ in names]
            for step in range(STEPS):
                noise = rng.random() * 0.01
                run.log({name: level / (step + 1) + noise for name, level in zip(names, base, strict=True)}, step=step)
    with open(done, "w", encoding="utf-8"):
        pass
    return time.perf_counter() - begin


def ask(what: str, folder: str) -> dict[str, float]:
    """Ask one question, and say how long it took and how much memory the process has had."""
    import nanoarrow

    import runfolio

    begin = time.perf_counter()
    store = runfolio.open_store(os.path.join(folder, "store"))
    opened = time.perf_counter() - begin
    begin = time.perf_counter()
    if what in ("filter", "typing"):
        found = filtered(store, 0.0015)
    elif what == "curves":
        stream = nanoarrow.c_array_stream(store.points(["m5"], filter="name like 'run00*'"))
        found = sum(batch.length for batch in stream)
    elif what == "groups":
        groups = store.runs("name like 'run00*'").groups("m5", by=["width", "opt"], over="seed", goal="min")
        found = len(list(groups))
    else:
        found = len(store.runs())
    if what == "typing":  # as someone types: another number in the question each time
        times = []
        for number in range(9):
            begin = time.perf_counter()
            filtered(store, 0.001 + number / 10_000)
            times.append(time.perf_counter() - begin)
        took = statistics.median(times)
    else:
        took = time.perf_counter() - begin
    return {
        "opened_s": opened,
        "s": took,
        "found": float(found),
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def filtered(store: Any, below: float) -> int:
    text = f"metrics.m3.min < {below} and params.width in (64, 128) and opt == 'adam'"
    return len(store.runs(text, sort="-metrics.m7.last", limit=50))


def fresh(what: str, folder: str) -> dict[str, float]:
    command = [sys.executable, os.path.abspath(__file__), "--ask", what, "--folder", folder]
    ran = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "XDG_CACHE_HOME": f"{folder}/cache"}
    )
    if ran.returncode:
        raise SystemExit(f"{what}: {ran.stderr[-2000:]}")
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default=os.path.expanduser("~/.cache/runfolio-bench/ask"))
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    asked: Any = parser.parse_args()
    if asked.ask:
        print(json.dumps(ask(asked.ask, asked.folder)))
        return 0
    made = make(asked.folder, asked.runs)
    print(
        f"{asked.runs:,} runs × {METRICS} metrics × {STEPS:,} steps"
        + (f", made in {made:.0f} s" if made else "")
        + "\n"
    )
    print("| what | must | seen | |\n| --- | --: | --: | --- |")
    met = True
    shutil.rmtree(os.path.join(asked.folder, "cache"), ignore_errors=True)
    cold = fresh("list", asked.folder)
    print(
        f"| the index from cold | linear | {cold['opened_s']:.1f} s | {cold['opened_s'] / asked.runs * 1e3:.2f} ms a run; peak {cold['mb']:.0f} MB |",
        flush=True,
    )
    for what, must, label in (
        ("filter", 0.1, "filter and sort"),
        ("typing", 0.05, "the same again in the same process, with another number"),
        ("curves", 0.5, "one metric's curves of 1,000 runs into Arrow"),
        ("groups", 1.0, "group statistics over 1,000 runs"),
    ):
        first = fresh(what, asked.folder)
        again = [fresh(what, asked.folder) for _ in range(asked.rounds)]
        times = sorted(one["s"] for one in again)
        seen = statistics.median(times)
        met = met and seen <= must
        peak = max(one["mb"] for one in again)
        told = f"{times[0]:.3f} to {times[-1]:.3f}; first time {first['s']:.2f} s; {first['found']:,.0f} found"
        told += f"; opening {again[0]['opened_s']:.2f} s; peak {peak:.0f} MB"
        print(f"| {label} | {must:g} s | {seen:.3f} s | {told} |", flush=True)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
