"""The two sides of most rows, each run in a process of its own: runfolio, and orjson with one `write(2)` per call."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from bench.calls import digest, metrics_of, time_calls


def runfolio_side(
    shape: str,
    calls: int,
    *,
    seconds_max: float = 60.0,
    pause_s: float = 0.0,
    busy: bool = False,
    capture: bool | None = False,
) -> dict[str, Any]:
    """Log through runfolio, finish, and return the digest; `mapped` tells whether the journal was a memory map.

    Without `capture`, whose companion process looks at git and packages for the first moments: a loop of 50 ms on a
    machine of few cores would mostly measure that company. None is runfolio's default.
    """
    import runfolio

    run = runfolio.start(experiment="bench", capture=capture)
    if busy:
        _spin_beside()
    took = time_calls(run.log, metrics_of(shape, calls), seconds_max=seconds_max, pause_s=pause_s)
    mapped = journal_is_mapped()
    begin = time.perf_counter_ns()
    run.finish()
    return {**digest(took, time.perf_counter_ns() - begin), "mapped": mapped, "syncs": _syncs()}


def orjson_side(
    shape: str, calls: int, *, seconds_max: float = 60.0, pause_s: float = 0.0, busy: bool = False
) -> dict[str, Any]:
    """Do the same with orjson and one unbuffered write per call; finish is fsync and close."""
    file = open(os.path.join(os.getcwd(), "points.jsonl"), "ab", buffering=0)
    if busy:
        _spin_beside()
    took = time_calls(orjson_log(file), metrics_of(shape, calls), seconds_max=seconds_max, pause_s=pause_s)
    begin = time.perf_counter_ns()
    os.fsync(file.fileno())
    file.close()
    return {**digest(took, time.perf_counter_ns() - begin), "syncs": _syncs()}


def orjson_log(file: Any) -> Callable[..., None]:
    """Return the baseline's `log`: the same facts as JSON, one `write(2)` per call."""
    import orjson

    dumps, newline, now, write = orjson.dumps, orjson.OPT_APPEND_NEWLINE, time.time, file.write

    def log(metrics: dict[str, float], step: int) -> None:
        write(dumps({"step": step, "t": now(), **metrics}, option=newline))

    return log


def journal_is_mapped() -> bool:
    """Tell whether this process has a journal in a memory map, so that no row measures the other path by accident."""
    with open("/proc/self/maps") as maps:
        return any(line.rstrip().endswith(".jnl") for line in maps)


def _spin_beside() -> None:
    threading.Thread(target=_spin, name="busy", daemon=True).start()


def _spin() -> None:
    count = 0
    while True:
        count += 1


def _syncs() -> int:
    """Count the fsyncs that the shim of `slow_fsync.c` saw in this process and its children."""
    path = os.environ.get("SLOW_FSYNC_LOG")
    return os.path.getsize(path) if path and os.path.exists(path) else 0
