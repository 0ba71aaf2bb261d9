"""The store of many runs that queries are asked of, the same one for every tracker."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

STEPS = 100


def many(runs: int) -> Iterator[tuple[str, dict[str, Any], list[list[float]]]]:
    """Yield name, ten params and five metrics of 100 steps for each run, the same ones each time."""
    for i in range(runs):
        rng = random.Random(i)
        params: dict[str, Any] = {"p0": "ab"[i % 2], "p1": i, "lr": 10 ** -(1 + 3 * rng.random())}
        params |= {f"p{k}": f"v{i % (k + 1)}" for k in range(3, 10)}
        yield (
            f"run{i:05d}",
            params,
            [[(1 + 0.3 * j) / (s + 1) + rng.random() / 10 for s in range(STEPS)] for j in range(5)],
        )


def rows(metrics: list[list[float]]) -> Iterator[dict[str, float]]:
    """Turn the five columns of a run into what its 100 calls log."""
    for step in range(STEPS):
        yield {f"m{j}": values[step] for j, values in enumerate(metrics)}
