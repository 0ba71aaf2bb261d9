"""Choose the best of several values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from runfolio.errors import UsageError
from runfolio.model.names import shown

MODES = ("min", "max")

K = TypeVar("K")


def best_of(candidates: Iterable[tuple[K, float]], mode: str) -> tuple[K, float] | None:
    """Choose the candidate with the best value: the first one where several are equal, never a NaN; None where nothing is left.

    Args:
        candidates: what is chosen from, each with its value.
        mode: "min" where low is better, "max" where high is.

    Raises:
        UsageError: another mode.
    """
    if mode not in MODES:
        raise UsageError(f"mode must be 'min' or 'max', not {shown(mode)}")
    low = mode == "min"
    best: tuple[K, float] | None = None
    for candidate in candidates:
        value = candidate[1]
        if value == value and (best is None or (value < best[1] if low else value > best[1])):
            best = candidate
    return best
