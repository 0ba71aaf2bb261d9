"""The stores that the app is measured on, each made once and kept."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Mapping
from typing import Any

from bench import ask

RUNS, METRICS, STEPS = 500, 5, 100
LONG_RUNS, LONG_STEPS = 100, 10_000
WIDE_METRICS, WIDE_STEPS = 500, 200


def five_hundred(folder: str) -> str:
    """500 runs × 5 metrics × 100 steps, named as in the peers' set."""
    return _once(folder, "500", lambda root: [_run(root, number, METRICS, STEPS) for number in range(RUNS)])


def long_and_wide(folder: str) -> str:
    """100 runs of 10,000 steps, and one run of 500 metrics."""

    def make(root: str) -> None:
        for number in range(LONG_RUNS):
            _run(root, number, 1, LONG_STEPS)
        _run(root, LONG_RUNS, WIDE_METRICS, WIDE_STEPS, name="wide")

    return _once(folder, "long", make)


def ten_thousand(folder: str, runs: int = 10_000) -> str:
    """10,000 runs × 20 metrics × 1,000 steps: the store of `bench/ask.py`."""
    root = os.path.join(folder, "ask")
    ask.make(root, runs)
    return os.path.join(root, "store")


def _once(folder: str, name: str, make: Callable[[str], object]) -> str:
    root = os.path.join(folder, f"screen-{name}")
    if not os.path.exists(root + ".made"):
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root)
        make(root)
        with open(root + ".made", "w", encoding="utf-8"):
            pass
    return root


def _run(root: str, number: int, metrics: int, steps: int, name: str | None = None) -> None:
    import runfolio

    rng = random.Random(number)
    params = _params(number, rng)
    names = [f"m{place}" if metrics <= 5 else f"part{place // 25}/m{place:03}" for place in range(metrics)]
    base = [rng.random() + 0.1 * place for place in range(metrics)]
    with runfolio.start(
        "bench", name or f"run{number:05}", params, store=root, capture=False, fsync_every_s=3600
    ) as run:
        run.define(names[0], goal="min")
        for step in range(steps):
            run.log(
                {one: level / (step + 1) + rng.random() * 0.02 for one, level in zip(names, base, strict=True)},
                step=step,
            )


def _params(number: int, rng: random.Random) -> Mapping[str, Any]:
    """Ten params, most of them the same for all, as people's are."""
    told = {f"p{place}": f"v{number % (place + 2)}" for place in range(2, 6)}
    return {
        "p0": "a",
        "p1": number,
        **told,
        "lr": 10 ** -rng.uniform(1, 4),
        "dataset": "cifar",
        "seed": number % 5,
        "layers": rng.choice([2, 4, 8]),
    }
