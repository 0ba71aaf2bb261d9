"""The p99 of a tight loop while another Python thread computes and never gives up the interpreter by itself."""

from __future__ import annotations

from bench.gate import Finding, Gate, missing
from bench.lab import Lab, Side, middle
from bench.sides import orjson_side, runfolio_side

GATES = (Gate("mapped, one CPU-bound Python thread beside: p99", 20, 5, "µs"),)


def measure(lab: Lab) -> list[Finding]:
    """Log 300,000 calls with real fsyncs among them; the baseline, at 5 ms a call, is stopped after 2 s."""
    env = {"RUNFOLIO_FSYNC_EVERY_S": "0.2"}
    ours_side = Side(runfolio_side, {"shape": "ten", "calls": lab.pick(300_000, 60_000), "busy": True}, env)
    base_side = Side(orjson_side, {"shape": "ten", "calls": 20_000, "busy": True, "seconds_max": 2.0})
    base, ours = lab.in_turn([base_side, ours_side], lab.pick(5, 2))
    if not all(result["mapped"] for result in ours):
        return missing(GATES, "the journal was not mapped")
    detail = (
        f"p50 {middle(ours, 'p50_us'):.2f} µs, p99.9 {middle(ours, 'p999_us'):.1f} µs; "
        f"one write(2) per call: p99 {middle(base, 'p99_us'):.0f} µs"
    )
    return [Finding(GATES[0], middle(ours, "p99_us"), detail)]
