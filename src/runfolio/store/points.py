"""The points of one series, merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Merged(NamedTuple):
    """The points of one series as a reader sees them."""

    steps: NDArray[np.int64]  # 0 where final
    final: NDArray[np.bool_]
    values: NDArray[np.float64]
    kinds: NDArray[np.uint8]  # ord of 'f', 'i', 'b'
    times_ns: NDArray[np.int64]

    def take(self, at: NDArray[np.intp] | NDArray[np.bool_]) -> Merged:
        """Give the points at these places."""
        return Merged._make(array[at] for array in self)


def join(parts: Sequence[Merged]) -> Merged:
    """Put points behind each other."""
    return parts[0] if len(parts) == 1 else Merged._make(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def nothing() -> Merged:
    """Give a series without points."""
    kinds = (np.int64, np.bool_, np.float64, np.uint8, np.int64)
    return Merged._make(np.zeros(0, kind) for kind in kinds)
