"""The bootstrap interval of a mean, bias-corrected and accelerated (BCa). Source: Efron 1987; Efron & Tibshirani 1993, chapter 14.

`scipy.stats.bootstrap` gives the same to the noise of drawing, and the tests hold the two together. It is not called because
importing `scipy.stats` takes longer than all statistics over 1,000 runs; the quantiles are `scipy.special`'s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from runfolio.query.statistics.values import Values

RESAMPLES, _SEED = 4_999, 20_210_830
_AT_ONCE = 1 << 20  # drawn values held at a time


def bca(values: Values, alpha: float) -> tuple[float, float]:
    """Give both ends of the interval of the mean. Drawn with a fixed seed: the same values give the same interval."""
    mean = values.mean()
    centred = np.sort(values) - mean
    drawn = _drawn_means(centred)
    below = (np.sum(drawn < 0) + np.sum(drawn <= 0)) / (2 * RESAMPLES)
    bias = ndtri(below)
    squares = float(np.sum(centred**2))
    # Leaving one value out moves the mean by -value / (n - 1), so the jackknife needs no loop.
    acceleration = float(np.sum(centred**3)) / (6 * squares**1.5)
    ends = bias + ndtri(np.array([alpha / 2, 1 - alpha / 2]))
    low, high = mean + np.quantile(drawn, ndtr(bias + ends / (1 - acceleration * ends)))
    return float(low), float(high)


def _drawn_means(values: Values) -> NDArray[np.float64]:
    """Draw groups of the same size from the values, with replacement, and give their means."""
    rng = np.random.default_rng(_SEED)
    rows = max(1, _AT_ONCE // len(values))
    parts = [min(rows, RESAMPLES - at) for at in range(0, RESAMPLES, rows)]
    return np.concatenate([values[rng.integers(len(values), size=(part, len(values)))].mean(axis=1) for part in parts])
