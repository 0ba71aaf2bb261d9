"""A call whose ten names were never seen before, again and again."""

from __future__ import annotations

from bench.gate import Finding, Gate
from bench.lab import Lab, Side, ratio
from bench.rows.hot_path import beside
from bench.sides import orjson_side, runfolio_side

GATES = (
    Gate("a different key set on each call: p50", 3, 2, "×"),
    Gate("a different key set on each call: all-in", 3, 2, "×"),
)


def measure(lab: Lab) -> list[Finding]:
    """Log 10,000 calls with ten new names each: ten times what the cache of key sets holds."""
    options = {"shape": "new-keys", "calls": 10_000}
    base, ours = lab.in_turn(
        [Side(orjson_side, options), Side(runfolio_side, {**options, "capture": False})], lab.pick(7, 3)
    )
    return [
        Finding(gate, ratio(ours, base, key), beside(ours, base, key))
        for gate, key in zip(GATES, ("p50_us", "all_in_us"), strict=True)
    ]
