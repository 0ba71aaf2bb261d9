"""Smooth a noisy curve."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def smoothed(values: Floats, weight: float) -> Floats:
    """Give the exponential moving average, without its pull towards 0 at the start.

    With the weight w it is s ← w·s + (1 - w)·x from s = 0, and what is given after k values is s / (1 - wᵏ): so the
    first one is the first value itself. Each point counts once, however far apart the steps are. NaN and the infinities
    stay where they are and do not touch the average.

    Source: the correction is that of Adam (Kingma and Ba, 2015, section 3).
    """
    if weight <= 0:
        return values
    found, average, pull = [], 0.0, 1.0
    for value in values.tolist():
        if math.isfinite(value):
            average = weight * average + (1 - weight) * value
            pull *= weight
            value = average / (1 - pull)
        found.append(value)
    return np.array(found, np.float64)
