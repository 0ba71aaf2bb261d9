"""The command `runfolio list` in a store of 10,000 runs."""

from __future__ import annotations

import sys
import time
from statistics import median

from bench.gate import Finding, Gate
from bench.lab import Lab, Side

GATES = (Gate("runfolio list with 10,000 runs, index warm", 0.5, 0.2, "s"),)


def measure(lab: Lab) -> list[Finding]:
    """Time the whole process; the first one, which fills the index, is told apart."""
    folder = lab.fresh()
    runs = lab.pick(10_000, 300)
    # Without real fsyncs while building: 10,000 finished runs in a minute and not in ten.
    built = lab.once(Side(build, {"runs": runs}, lab.slow_fsync(0, "")), folder)
    cold = lab.wall(lab.command("list"), folder)
    listed, everything, bare = [], [], []
    for _ in range(lab.pick(9, 3)):
        bare.append(lab.wall([sys.executable, "-c", "pass"], folder))
        listed.append(lab.wall(lab.command("list"), folder))
    for _ in range(3):
        everything.append(lab.wall(lab.command("list", "--all", "--json"), folder))
    lab.drop(folder)
    detail = (
        f"{runs} runs made in {built['seconds']:.0f} s; index cold {cold:.2f} s; "
        f"--all --json {median(everything):.2f} s; an empty Python {median(bare):.3f} s"
    )
    return [Finding(GATES[0], median(listed), detail)]


def build(runs: int) -> dict[str, float]:
    """Make the runs: three params and one point of two metrics each."""
    import runfolio

    begin = time.perf_counter()
    for i in range(runs):
        params = {"lr": i / 1e4, "seed": i % 5, "net": "mlp"}
        run = runfolio.start(experiment=f"e{i % 7}", name=f"run{i:05d}", params=params, capture=False)
        run.log({"loss": 1 / (i + 1), "acc": i / 1e4}, step=0)
        run.finish()
    return {"seconds": time.perf_counter() - begin}
