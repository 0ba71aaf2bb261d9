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


def measure(lab: Lab) -> list[Finding]:
    """Run baseline, mapped, fallback in turn; a "mapped" run without a map counts as missing."""
    options = {"shape": "ten", "calls": 20_000}
    base, mapped, fallback = lab.in_turn(
        [Side(orjson_side, options), Side(runfolio_side, options), Side(runfolio_side, options, {"RUNFOLIO_MAP": "0"})],
        lab.pick(9, 3),
    )
    found = []
    for gate, (ours, key, wants_map) in zip(
        GATES,
        [(mapped, "p50_us", 1), (mapped, "all_in_us", 1), (fallback, "p50_us", 0), (fallback, "all_in_us", 0)],
        strict=True,
    ):
        if any(result["mapped"] != bool(wants_map) for result in ours):
            found.append(Finding(gate, None, "the journal was " + ("not mapped" if wants_map else "mapped")))
        else:
            found.append(Finding(gate, ratio(ours, base, key), beside(ours, base, key)))
    return found


def beside(ours: Sequence[Mapping[str, float]], base: Sequence[Mapping[str, float]], key: str) -> str:
    """Tell both figures behind a ratio, and how far the repetitions spread."""
    ratios = sorted(a[key] / b[key] for a, b in zip(ours, base, strict=True))
    return f"{middle(ours, key):.2f} µs against {middle(base, key):.2f} µs; {ratios[0]:.2f}–{ratios[-1]:.2f}×"
