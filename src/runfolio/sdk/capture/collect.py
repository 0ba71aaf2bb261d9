"""Look for the slow facts, one after the other, and hand each over as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .fields import SLOW
from .git import capture_git
from .gpu import capture_gpu
from .machine import capture_cpu
from .packages import capture_packages

Event = dict[str, object]


def collect(fields: Iterable[str], cwd: str, emit: Callable[[Event], object]) -> None:
    """Emit a capture event for each slow field asked for: what changes soonest comes first."""
    sources: dict[str, Callable[[], object]] = {
        "git": lambda: capture_git(cwd),
        "cpu": capture_cpu,
        "gpu": capture_gpu,
        "packages": capture_packages,
    }
    asked = set(fields)
    for field in SLOW:
        if field in asked:
            emit({"type": "capture", "field": field, "value": sources[field]()})
