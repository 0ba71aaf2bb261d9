"""What there is to count with: the finite values of a group, and how many were left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]
LEAST = 3
"""Fewer values than this have no mean worth an interval, and no test."""
AWAY = 1e150
"""What has run away so far cannot be squared, and counts as infinite."""
_NO_VARIANCE = 1e-300


class Sifted(NamedTuple):
    """Values that can be counted with, and how many could not."""

    finite: Values
    nans: int
    infinite: int
    """Or beyond 1e150: what has run away so far cannot be squared."""


def sift(values: ArrayLike | Iterable[float]) -> Sifted:
    """Leave out NaN and the infinities, and count them."""
    given = values if isinstance(values, np.ndarray) else list(values)  # type: ignore[arg-type]
    array = np.asarray(given, np.float64).ravel()
    nans = int(np.isnan(array).sum())
    finite = array[np.abs(array) < AWAY]
    return Sifted(finite, nans, len(array) - nans - len(finite))


def is_constant(values: Values) -> bool:
    """Say whether values do not vary: beyond the rounding of their last digits, which is no spread of seeds."""
    if not len(values):
        return True
    return bool(np.ptp(values) <= 1e-12 * np.max(np.abs(values))) or float(np.var(values)) < _NO_VARIANCE
