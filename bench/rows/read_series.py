"""One series of 20,000 points read from an opened store: of a running run, and of a sealed one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.calls import metrics_of
from bench.gate import Finding, Gate
from bench.lab import CHILD, ChildFailed, Lab, Side, middle

GATES = (
    Gate("read one series of 20,000 points, live", 10, 2, "ms"),
    Gate("read one series of 20,000 points, sealed", 10, 2, "ms"),
)
POINTS = 20_000


def measure(lab: Lab) -> list[Finding]:
    """Read `m0` of a run with one metric and of a run with ten, each in a fresh process; the slower one counts."""
    return [_try(_live, lab, GATES[0]), _try(_sealed, lab, GATES[1])]


def _try(look: Callable[[Lab, str, Gate], Finding], lab: Lab, gate: Gate) -> Finding:
    folder = lab.fresh()
    try:
        return look(lab, folder, gate)
    except ChildFailed as error:
        return Finding(gate, None, str(error))
    finally:
        lab.drop(folder)


def _live(lab: Lab, folder: str, gate: Gate) -> Finding:
    """Read while another process holds the runs open."""
    writer = subprocess.Popen(
        [sys.executable, "-P", CHILD, __name__, write_and_wait.__name__, "{}", os.path.join(folder, "writer.json")],
        cwd=folder,
        env=lab.env(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    try:
        for line in writer.stdout:  # a library may print too; our word is "ready"
            if line.startswith("ready"):
                return _read(lab, folder, gate)
        raise ChildFailed("the writer ended early")
    finally:
        writer.stdin.close()
        writer.wait(timeout=60)


def _sealed(lab: Lab, folder: str, gate: Gate) -> Finding:
    """Read after `runfolio seal`."""
    lab.once(Side(write_and_finish), folder)
    lab.wall(lab.command("seal"), folder)
    return _read(lab, folder, gate)


def _read(lab: Lab, folder: str, gate: Gate) -> Finding:
    """Read in fresh processes; the first, which may fill the index, is told apart."""
    first = lab.once(Side(read), folder)
    rest = [lab.once(Side(read), folder) for _ in range(lab.pick(9, 3))]
    one, ten = middle(rest, "one_ms"), middle(rest, "ten_ms")
    detail = (
        f"run with 1 metric {one:.2f} ms, with 10 {ten:.2f} ms; again in the same process "
        f"{middle(rest, 'again_ms'):.2f} ms; in the first process ever "
        f"{first['one_ms']:.2f} and {first['ten_ms']:.2f} ms"
    )
    return Finding(gate, max(one, ten), detail)


def write(hold: Any = None) -> dict[str, Any]:
    """Write a small run and the two that are read; keep them open while `hold` blocks."""
    import runfolio

    runs = []
    for name, shape, calls in (("small", "one", 10), ("one", "one", POINTS), ("ten", "ten", POINTS)):
        run = runfolio.start(experiment="bench", name=name, capture=False)
        for step, metrics in enumerate(metrics_of(shape, calls)):
            run.log(metrics, step=step)
        runs.append(run)
    if hold:
        hold()
    for run in runs:
        run.finish()
    return {}


def write_and_finish() -> dict[str, Any]:
    """Write the runs and finish them."""
    return write()


def write_and_wait() -> dict[str, Any]:
    """Write the runs, say so, and keep them running until standard input ends."""
    return write(_hold)


def _hold() -> None:
    print("ready", flush=True)
    sys.stdin.read()


def read() -> dict[str, float]:
    """Time `series("m0").values` of runs that this process has not read before, in a store that is open already."""
    import runfolio

    store = runfolio.open_store()
    store.run("small").series("m0").values.sum()  # imports, and opens what a store opens once
    times = {}
    for key, name in (("one_ms", "one"), ("ten_ms", "ten"), ("again_ms", "ten")):
        begin = time.perf_counter()
        values = store.run(name).series("m0").values
        times[key] = (time.perf_counter() - begin) * 1e3
        assert len(values) == POINTS, f"{len(values)} points instead of {POINTS}"
    return times
