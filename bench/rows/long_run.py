"""Whether `log` still costs the same after ten million points."""

from __future__ import annotations

from typing import Any

from bench.calls import digest, metrics_of, time_calls
from bench.gate import Finding, Gate
from bench.lab import Lab, Side, middle

GATES = (Gate("one run with 10⁷ points: log in the last tenth against the first", 1.2, 1.0, "×"),)


def measure(lab: Lab) -> list[Finding]:
    """Log a million calls of ten metrics and compare the mean call of the two tenths."""
    calls = lab.pick(1_000_000, 100_000)
    seen = [lab.once(Side(long_run, {"calls": calls})) for _ in range(lab.pick(5, 2))]
    detail = (
        f"mean {middle(seen, 'last_us'):.2f} µs against {middle(seen, 'first_us'):.2f} µs; "
        f"p50 {middle(seen, 'last_p50_us'):.2f} against {middle(seen, 'first_p50_us'):.2f} µs"
    )
    return [Finding(GATES[0], middle(seen, "ratio"), detail)]


def long_run(calls: int) -> dict[str, Any]:
    """Time each call and return the first and the last tenth."""
    import runfolio

    run = runfolio.start(experiment="bench", capture=False)
    took = time_calls(run.log, metrics_of("ten", calls), seconds_max=300)
    run.finish()
    tenth = len(took) // 10
    first, last = digest(took[:tenth], 0), digest(took[-tenth:], 0)
    return {
        "ratio": last["mean_us"] / first["mean_us"],
        "first_us": first["mean_us"],
        "last_us": last["mean_us"],
        "first_p50_us": first["p50_us"],
        "last_p50_us": last["p50_us"],
    }
