"""Thin curves to what a screen can show, so that no peak is lost: the lowest, the highest and the last value in each stretch of x."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
NAN, INFINITY, MINUS_INFINITY = "NaN", "Infinity", "-Infinity"
MARKS_MAX = 200
"""Of one curve: more would be a line of their own."""


class Grid(NamedTuple):
    """Stretches of x of one width, which many curves share: from `start` to `end`, the end belongs to the last one."""

    start: float
    end: float
    buckets: int

    @property
    def x(self) -> Floats:
        """The middle of each stretch."""
        width = self.end / self.buckets - self.start / self.buckets
        middles: Floats = np.arange(self.buckets, dtype=np.float64) + 0.5
        middles *= width
        middles += self.start
        return middles

    def places(self, x: Floats) -> Places:
        """Give for each x the stretch that it lies in; x lies within the grid."""
        reach = self.end / 2 - self.start / 2
        if not reach > 0:
            return np.zeros(len(x), np.int64)
        share = (x / 2 - self.start / 2) / reach
        places: Places = np.minimum((share * self.buckets).astype(np.int64), self.buckets - 1)
        return np.maximum(places, 0)


class Thinned(NamedTuple):
    """A curve on a grid. Shape: one element for each stretch; NaN where it has no finite value there."""

    low: Floats
    high: Floats
    last: Floats


class Mark(NamedTuple):
    """A value that is no height on a chart."""

    x: float
    what: str
    """NaN, Infinity or -Infinity."""


def thinned(x: Floats, y: Floats, grid: Grid) -> Thinned:
    """Give the lowest, the highest and the last finite value in each stretch.

    Args:
        x: rising, or level; within the grid.
    """
    keep = np.isfinite(y)
    if not keep.all():
        x, y = x[keep], y[keep]
    low, high, last = np.full((3, grid.buckets), np.nan)
    if len(x):
        places = grid.places(x)
        begins = np.flatnonzero(np.concatenate([[True], places[1:] != places[:-1]]))
        at = places[begins]
        low[at] = np.minimum.reduceat(y, begins)
        high[at] = np.maximum.reduceat(y, begins)
        last[at] = y[np.append(begins[1:], len(y)) - 1]
    return Thinned(low, high, last)


def last_of(x: Floats, y: Floats, grid: Grid) -> Floats:
    """Give the last finite value in each stretch alone."""
    keep = np.isfinite(y)
    if not keep.all():
        x, y = x[keep], y[keep]
    last = np.full(grid.buckets, np.nan)
    last[grid.places(x)] = y  # of several for one place numpy keeps the last
    return last


def finite(y: Floats) -> Floats:
    """Give NaN, a gap, in the place of the infinities."""
    return y if not np.isinf(y).any() else np.where(np.isinf(y), np.nan, y)


def marks(x: Floats, y: Floats, grid: Grid | None = None) -> list[Mark]:
    """Say where a curve is NaN or infinite: with a grid once for each kind and stretch, and at most `MARKS_MAX` times."""
    odd = np.flatnonzero(~np.isfinite(y))
    if not len(odd):
        return []
    kinds = np.where(np.isnan(y[odd]), 0, np.where(y[odd] > 0, 1, 2))
    if grid is not None:
        _, first = np.unique(grid.places(x[odd]) * 3 + kinds, return_index=True)
        first.sort()
        odd, kinds = odd[first], kinds[first]
    if len(odd) > MARKS_MAX:
        some = np.unique(np.linspace(0, len(odd) - 1, MARKS_MAX).astype(np.int64))
        odd, kinds = odd[some], kinds[some]
    names = (NAN, INFINITY, MINUS_INFINITY)
    return [Mark(at, names[kind]) for at, kind in zip(x[odd].tolist(), kinds.tolist(), strict=True)]


def within(x: Floats, y: Floats, start: float | None, end: float | None) -> tuple[Floats, Floats]:
    """Give what lies in a window of x, its ends included; x is rising or level."""
    if start is None and end is None:
        return x, y
    first = 0 if start is None else int(np.searchsorted(x, start, "left"))
    behind = len(x) if end is None else int(np.searchsorted(x, end, "right"))
    return x[first:behind], y[first:behind]
