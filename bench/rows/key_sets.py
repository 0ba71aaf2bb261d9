"""A call whose ten names were never seen before, again and again."""

from __future__ import annotations

from bench.gate import Finding, Gate
from bench.lab import Lab, Side, ratio
from bench.rows.hot_path import KEYS, beside
from bench.sides import orjson_side, runfolio_side

GATES = (
    Gate("a different key set on each call: p50", 3, 2, "×"),
    Gate("a different key set on each call: all-in", 3, 2, "×"),
)


def measure(lab: Lab) -> list[Finding]:
    """Log 10,000 calls with ten new names each: ten times what the cache of key sets holds.

    Beside it, for the detail, two sets of ten names in turn: what a loop of training and validation does.
    """
    new, two = ({"shape": shape, "calls": 10_000} for shape in ("new-keys", "two-sets"))
    base, ours, base_two, ours_two = lab.in_turn(
        [
            Side(orjson_side, new),
            Side(runfolio_side, new),
            Side(orjson_side, two),
            Side(runfolio_side, two),
        ],
        lab.pick(7, 3),
    )
    found = []
    for gate, key in zip(GATES, KEYS, strict=True):
        detail = f"{beside(ours, base, key)}; two sets of ten in turn: {ratio(ours_two, base_two, key):.2f}×"
        found.append(Finding(gate, ratio(ours, base, key), detail))
    return found
