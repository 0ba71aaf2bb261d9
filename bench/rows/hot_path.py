"""`run.log` of ten metrics against orjson and one `write(2)`, through the map and without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.gate import Finding, Gate
from bench.lab import Lab, Side, middle, ratio
from bench.sides import orjson_side, runfolio_side

GATES = (
    Gate("log of 10 metrics, mapped: p50", 1.2, 0.8, "×"),
    Gate("log of 10 metrics, mapped: all-in", 1.2, 0.8, "×"),
    Gate("log of 10 metrics, fallback: p50", 1.8, 1.4, "×"),
    Gate("log of 10 metrics, fallback: all-in", 1.8, 1.4, "×"),
)
KEYS = ("p50_us", "all_in_us")
Results = Sequence[Mapping[str, float]]


def measure(lab: Lab) -> list[Finding]:
    """Run baseline, mapped, fallback in turn; a "mapped" run without a map counts as missing."""
    options = {"shape": "ten", "calls": 20_000}
    base, mapped, fallback, company = lab.in_turn(
        [
            Side(orjson_side, options),
            Side(runfolio_side, options),
            Side(runfolio_side, options, {"RUNFOLIO_MAP": "0"}),
            Side(runfolio_side, {**options, "capture": None}),
        ],
        lab.pick(9, 3),
    )
    found = [_judge(gate, mapped, base, key, True) for gate, key in zip(GATES[:2], KEYS, strict=True)]
    found += [_judge(gate, fallback, base, key, False) for gate, key in zip(GATES[2:], KEYS, strict=True)]
    beside_capture = f"; while capture's companion works beside: {ratio(company, base, 'p50_us'):.2f}×"
    return [found[0]._replace(detail=found[0].detail + beside_capture), *found[1:]]


def _judge(gate: Gate, ours: Results, base: Results, key: str, mapped: bool) -> Finding:
    if any(result["mapped"] != mapped for result in ours):
        return Finding(gate, None, "the journal was " + ("not mapped" if mapped else "mapped"))
    return Finding(gate, ratio(ours, base, key), beside(ours, base, key))


def beside(ours: Results, base: Results, key: str) -> str:
    """Tell both figures behind a ratio, and how far the repetitions spread."""
    ratios = sorted(a[key] / b[key] for a, b in zip(ours, base, strict=True))
    return f"{middle(ours, key):.2f} µs against {middle(base, key):.2f} µs; {ratios[0]:.2f}–{ratios[-1]:.2f}×"
