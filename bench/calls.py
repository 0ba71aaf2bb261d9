"""The loop that is timed: one `log` call after the other, each with its own stopwatch."""

from __future__ import annotations

import random
import time
from array import array
from collections.abc import Callable, Iterator
from typing import Any

Metrics = dict[str, float]


def metrics_of(shape: str, calls: int) -> Iterator[Metrics]:
    """Yield the metrics of each call.

    Args:
        shape: `one`, `ten`, `wide` (1,000), `new-keys` (ten names never seen before), `two-sets` (two sets of ten names in turn).
    """
    width = {"one": 1, "ten": 10, "wide": 1000, "new-keys": 10, "two-sets": 10}[shape]
    value = random.Random(1).random  # each one new: series that repeat each other would shrink in Parquet
    names = [f"m{j}" for j in range(width)]
    for i in range(calls):
        if shape == "new-keys":
            names = [f"m{i}_{j}" for j in range(width)]
        elif shape == "two-sets":
            names = [f"{'train' if i % 2 else 'valid'}_{j}" for j in range(width)]
        yield {name: value() for name in names}


def time_calls(
    log: Callable[..., Any], batches: Iterator[Metrics], *, seconds_max: float = 60.0, pause_s: float = 0.0
) -> array[int]:
    """Call `log` with each batch and return what each call took.

    Units: nanoseconds. The dict is built before the stopwatch starts: the loop pays for it with any tracker.
    """
    took = array("q")
    clock = time.perf_counter_ns
    end = clock() + int(seconds_max * 1e9)
    for step, metrics in enumerate(batches):
        before = clock()
        log(metrics, step=step)
        after = clock()
        took.append(after - before)
        if after > end:
            break
        if pause_s:
            time.sleep(pause_s)
    return took


def digest(took: array[int], finish_ns: int) -> dict[str, float]:
    """Reduce the calls to the figures that rows compare; `all_in_us` is per call, with the finish spread over them."""
    ordered = sorted(took)
    count = len(ordered)
    return {
        "calls": count,
        "p50_us": _at(ordered, 0.5),
        "p99_us": _at(ordered, 0.99),
        "p999_us": _at(ordered, 0.999),
        "max_us": ordered[-1] / 1e3,
        "mean_us": sum(ordered) / count / 1e3,
        "first_us": took[0] / 1e3,
        "finish_us": finish_ns / 1e3,
        "all_in_us": (sum(ordered) + finish_ns) / count / 1e3,
    }


def _at(ordered: list[int], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] / 1e3
