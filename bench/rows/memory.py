"""What the writing process weighs more than a bare Python, the map counted."""

from __future__ import annotations

from typing import Any

from bench.calls import metrics_of
from bench.gate import Finding, Gate
from bench.lab import Lab, Side, middle

GATES = (Gate("memory of the writing process above bare Python", 15, 8, "MB"),)


def measure(lab: Lab) -> list[Finding]:
    """Take the highest PSS seen during 200,000 calls of ten metrics, less a Python's that only makes the dicts."""
    options = {"calls": lab.pick(200_000, 40_000)}
    bare, ours = lab.in_turn([Side(bare_weight, options), Side(runfolio_weight, options)], lab.pick(5, 2))
    above = sorted(b["peak_mb"] - a["peak_mb"] for a, b in zip(bare, ours, strict=True))
    detail = (
        f"peak {middle(ours, 'peak_mb'):.1f} MB against {middle(bare, 'peak_mb'):.1f} MB; "
        f"after start() already {middle(ours, 'begin_mb') - middle(bare, 'begin_mb'):.1f} MB above"
    )
    return [Finding(GATES[0], above[len(above) // 2], detail)]


def runfolio_weight(calls: int) -> dict[str, Any]:
    """Weigh a process that logs."""
    import runfolio

    run = runfolio.start(experiment="bench")
    weights = _weigh(run.log, calls)
    run.finish()
    return weights


def bare_weight(calls: int) -> dict[str, Any]:
    """Weigh a process that does the same loop and logs nothing."""
    return _weigh(lambda metrics, step: None, calls)


def _weigh(log: Any, calls: int) -> dict[str, float]:
    begin = peak = _pss_mb()
    for step, metrics in enumerate(metrics_of("ten", calls)):
        log(metrics, step=step)
        if step % 5_000 == 0:
            peak = max(peak, _pss_mb())
    return {"begin_mb": begin, "peak_mb": max(peak, _pss_mb())}


def _pss_mb() -> float:
    with open("/proc/self/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) * 1024 / 1e6
