"""The moving average of `plot.smooth`, of many points at once."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_REACH = 200.0  # decimal digits that powers of the weight may fall within a block
_BLOCK_MAX = 512


def moving_average(values: Floats, weight: float) -> Floats:
    """Give what `runfolio.query.plot.smooth.smoothed` gives, but for the rounding of the last digits.

    Within a block the average is a sum of the values over falling powers of the weight; what the blocks before have left is carried on.

    Args:
        weight: from 0 (as they are) to below 1.
    """
    known = np.isfinite(values)
    some = values if known.all() else values[known]
    if weight <= 0 or not len(some):
        return values
    length = int(min(_BLOCK_MAX, max(1, _REACH / -math.log10(weight)), len(some)))
    powers = weight ** np.arange(length, dtype=np.float64)
    blocks = np.zeros((-(-len(some) // length), length))
    blocks.reshape(-1)[: len(some)] = some
    with np.errstate(over="ignore", invalid="ignore"):
        averages = np.cumsum(blocks / powers, axis=1) * powers * (1 - weight)
        carried = 0.0
        for block in averages:
            block += carried * weight * powers
            carried = float(block[-1])
        found = averages.reshape(-1)[: len(some)] / (1 - weight ** np.arange(1, len(some) + 1, dtype=np.float64))
    if len(some) == len(values):
        return found
    whole = values.copy()
    whole[known] = found
    return whole
