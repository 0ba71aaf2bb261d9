"""One call with a thousand metrics."""

from __future__ import annotations

from bench.gate import Finding, Gate
from bench.lab import Lab, Side, middle
from bench.sides import orjson_side, runfolio_side

GATES = (Gate("one call with 1,000 metrics: p50", 100, 50, "µs"),)


def measure(lab: Lab) -> list[Finding]:
    """Log 1,000 such calls; the first, which declares the names, is told apart."""
    options = {"shape": "wide", "calls": 1_000}
    base, ours = lab.in_turn([Side(orjson_side, options), Side(runfolio_side, options)], lab.pick(7, 3))
    detail = (
        f"p99 {middle(ours, 'p99_us'):.0f} µs, first call {middle(ours, 'first_us'):.0f} µs; "
        f"orjson + write(2): p50 {middle(base, 'p50_us'):.0f} µs"
    )
    return [Finding(GATES[0], middle(ours, "p50_us"), detail)]
