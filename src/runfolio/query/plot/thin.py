"""Leave points out that no eye would miss."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def thin(columns: list[Floats], stretches: int) -> NDArray[np.intp]:
    """Choose points of lines that share their x: of each stretch the first and last, and of each line the lowest and highest.

    A gap keeps one point too, so that it stays one. Lines of at most four points a stretch are kept whole.

    Returns:
        the places to keep, rising.
    """
    length = len(columns[0])
    if length <= 4 * stretches:
        return np.arange(length)
    begins = np.unique(np.linspace(0, length, stretches + 1).astype(np.intp)[:-1])
    ends = np.append(begins[1:], length)
    kept = [begins, ends - 1]
    for values in columns:
        kept += [_first(values, begins, ends, np.minimum), _first(values, begins, ends, np.maximum)]
        gaps = np.flatnonzero(~np.isfinite(values))
        at = np.searchsorted(gaps, begins)
        kept.append(gaps[at[at < len(gaps)]])
    return np.unique(np.concatenate(kept))


def _first(values: Floats, begins: NDArray[np.intp], ends: NDArray[np.intp], which: np.ufunc) -> NDArray[np.intp]:
    """Give the place of the first lowest (highest) finite value of each stretch that has one."""
    worst = np.inf if which is np.minimum else -np.inf
    filled = np.where(np.isfinite(values), values, worst)
    extremes = np.repeat(which.reduceat(filled, begins), ends - begins)
    places = np.flatnonzero((filled == extremes) & np.isfinite(values))
    first = np.searchsorted(places, begins)
    there = first < len(places)
    found: NDArray[np.intp] = places[first[there]]
    return found[found < ends[there]]
