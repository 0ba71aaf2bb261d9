"""The rows of the table "How fast", one module each: `GATES` are the promises, `measure(lab)` sees to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bench.gate import Finding, Gate
from bench.lab import Lab
from bench.rows import (
    busy_thread,
    disk,
    hot_path,
    imports,
    key_sets,
    list_runs,
    long_run,
    many_runs,
    memory,
    process,
    read_series,
    slow_fsync,
    wide_call,
)


class Row(NamedTuple):
    """One row by the name that `--only` takes."""

    name: str
    gates: tuple[Gate, ...]
    measure: Callable[[Lab], list[Finding]]


ROWS = tuple(
    Row(name, module.GATES, module.measure)
    for name, module in {
        "hot": hot_path,
        "keysets": key_sets,
        "slowsync": slow_fsync,
        "busy": busy_thread,
        "wide": wide_call,
        "process": process,
        "import": imports,
        "disk": disk,
        "read": read_series,
        "many": many_runs,
        "list": list_runs,
        "long": long_run,
        "memory": memory,
    }.items()
)
