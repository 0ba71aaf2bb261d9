"""Measure what `log` costs in a store: a short run of its own, removed afterwards."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from runfolio.model.ids import new_id
from runfolio.sdk.writing import Pen
from runfolio.store.layout import Layout

CALLS = 5_000
_WARM_UP = 500


class Cost(NamedTuple):
    """The cost of one call with ten metrics. Units: µs."""

    p50_us: float
    p99_us: float
    calls: int


def measure(folder: str) -> Cost:
    """Log into a store of its own in this folder, as scripts do, and remove it.

    Raises:
        OSError: a journal cannot be written there.
    """
    from shutil import rmtree

    layout = Layout(os.path.join(folder, f"doctor-{new_id()}.tmp"))
    try:
        layout.create()
        return _measure(layout)
    finally:
        rmtree(layout.root, ignore_errors=True)


def _measure(layout: Layout) -> Cost:
    pen = Pen(layout, new_id(), role="start", spooled=False)
    metrics = {f"metric_{number}": 0.1 * number for number in range(10)}
    log, clock = pen.writer.log, time.perf_counter_ns
    taken = []
    try:
        for step in range(_WARM_UP + CALLS):
            begun = clock()
            log(metrics, step)
            taken.append(clock() - begun)
    finally:
        pen.close(sync=False)
    if pen.writer.lost.points or pen.writer.spooling:
        raise OSError(5, ", ".join(pen.writer.causes) or "the writer went to the spool", layout.root)
    taken = sorted(taken[_WARM_UP:])
    return Cost(round(taken[CALLS // 2] / 1000, 2), round(taken[CALLS * 99 // 100] / 1000, 2), CALLS)
