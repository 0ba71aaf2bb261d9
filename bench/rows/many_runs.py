"""Three questions to a store of 500 runs."""

from __future__ import annotations

import time

from bench.gate import Finding, Gate
from bench.lab import Lab, Side, middle
from bench.runs import STEPS, many, rows

GATES = (
    Gate("500 runs: filter and order by a final metric", 30, 5, "ms"),
    Gate("500 runs: one metric over all runs", 60, 20, "ms"),
    Gate("500 runs: best run", 20, 2, "ms"),
)


def measure(lab: Lab) -> list[Finding]:
    """Ask in fresh processes with the index warm, in this order: the first question pays for what is loaded late."""
    folder = lab.fresh()
    runs = lab.pick(500, 50)
    built = lab.once(Side(build, {"runs": runs}, lab.slow_fsync(0, "")), folder)
    first = lab.once(Side(ask, {"runs": runs}), folder)
    rest = [lab.once(Side(ask, {"runs": runs}), folder) for _ in range(lab.pick(9, 3))]
    lab.drop(folder)
    found = []
    for gate, key in zip(GATES, ("filter_ms", "metric_ms", "best_ms"), strict=True):
        detail = f"again in the same process {middle(rest, key + '_again'):.2f} ms; index cold {first[key]:.1f} ms"
        found.append(Finding(gate, middle(rest, key), detail))
    cost = f"; {runs} runs made in {built['seconds']:.1f} s, first open with index {first['open_ms']:.0f} ms, later "
    found[0] = found[0]._replace(detail=found[0].detail + cost + f"{middle(rest, 'open_ms'):.1f} ms")
    return found


def build(runs: int) -> dict[str, float]:
    """Write the runs through the SDK, one after the other."""
    import runfolio

    begin = time.perf_counter()
    for name, params, metrics in many(runs):
        run = runfolio.start(experiment="bench", name=name, params=params, capture=False)
        for step, row in enumerate(rows(metrics)):
            run.log(row, step=step)
        run.finish()
    return {"seconds": time.perf_counter() - begin}


def ask(runs: int) -> dict[str, float]:
    """Time the three questions, twice each; check their answers."""
    import numpy  # noqa: F401 the reader's imports are not the question

    import runfolio

    begin = time.perf_counter()
    store = runfolio.open_store()
    times = {"open_ms": (time.perf_counter() - begin) * 1e3}
    for again in ("", "_again"):
        begin = time.perf_counter()
        kept = [run for run in store.runs() if run.params["p0"] == "a"]
        kept.sort(key=lambda run: float(run.metrics["m0"].last), reverse=True)
        times["filter_ms" + again] = (time.perf_counter() - begin) * 1e3
        begin = time.perf_counter()
        series = store.series("m0")
        points = sum(len(one.values) for one in series.values())
        times["metric_ms" + again] = (time.perf_counter() - begin) * 1e3
        begin = time.perf_counter()
        best = store.best("m0", mode="max")
        times["best_ms" + again] = (time.perf_counter() - begin) * 1e3
        assert len(kept) == (runs + 1) // 2 and points == runs * STEPS, f"{len(kept)} runs, {points} points"
        assert best is not None
        assert best.metrics["m0"].max == max(float(run.metrics["m0"].max) for run in store.runs())
    return times
