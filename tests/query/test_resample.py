"""Thinning curves: no peak is lost, gaps are kept, what is no number is marked."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from runfolio.query.charts.moving import moving_average
from runfolio.query.charts.resample import MARKS_MAX, Grid, finite, last_of, marks, thinned, within
from runfolio.query.plot.smooth import smoothed

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(-1e300, 1e300)


@st.composite
def curves(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.float64], Grid]:
    """Draw a curve by rising x, and a grid around it."""
    x = np.sort(np.array(draw(st.lists(FINITE, min_size=1, max_size=60)), np.float64))
    y = np.array(draw(st.lists(FLOATS, min_size=len(x), max_size=len(x))), np.float64)
    return x, y, Grid(float(x[0]), float(x[-1]), draw(st.integers(1, 40)))


@given(curves())
def test_no_peak_is_lost(drawn: tuple[NDArray[np.float64], NDArray[np.float64], Grid]) -> None:
    """In each stretch the lowest, the highest and the last finite value are those of the points that lie in it, bit for bit."""
    x, y, grid = drawn
    found = thinned(x, y, grid)
    places = grid.places(x)
    assert (np.diff(places) >= 0).all() and places[0] >= 0 and places[-1] < grid.buckets
    for place in range(grid.buckets):
        inside = y[(places == place) & np.isfinite(y)]
        told = [found.low[place], found.high[place], found.last[place]]
        expected = [inside.min(), inside.max(), inside[-1]] if len(inside) else [math.nan] * 3
        assert np.array_equal(told, expected, equal_nan=True)
    assert np.array_equal(last_of(x, y, grid), found.last, equal_nan=True)


@given(curves())
def test_what_is_no_number_is_marked_in_its_stretch(
    drawn: tuple[NDArray[np.float64], NDArray[np.float64], Grid],
) -> None:
    """Each NaN and infinity has a mark at its x, or one of its kind in the same stretch has."""
    x, y, grid = drawn
    names = {"NaN": math.isnan, "Infinity": lambda v: v == math.inf, "-Infinity": lambda v: v == -math.inf}
    exact = marks(x, y)
    assert [mark.x for mark in exact] == x[~np.isfinite(y)].tolist()
    rough = {(int(grid.places(np.array([mark.x]))[0]), mark.what) for mark in marks(x, y, grid)}
    odd = [
        (int(place), name)
        for place, value in zip(grid.places(x), y.tolist(), strict=True)
        for name, fits in names.items()
        if fits(value)
    ]
    assert rough == set(odd)
    assert not np.isinf(finite(y)).any() and np.array_equal(np.isnan(finite(y)), ~np.isfinite(y))


def test_marks_are_bounded() -> None:
    """A curve of nothing but NaN has so many marks and no more, from its first point to its last."""
    x = np.arange(10_000, dtype=np.float64)
    found = marks(x, np.full(10_000, np.nan))
    assert len(found) == MARKS_MAX and (found[0].x, found[-1].x) == (0, 9_999)


def test_a_grid_of_steps_at_both_ends_of_the_integers_holds() -> None:
    """Steps from −2⁶³ to 2⁶³ lie in a grid without overflow, the ends in the first and the last stretch."""
    x = np.array([-(2.0**63), 0.0, 2.0**63])
    grid = Grid(x[0], x[-1], 4)
    assert grid.places(x).tolist() == [0, 2, 3]
    assert np.isfinite(grid.x).all()
    assert Grid(5.0, 5.0, 10).places(np.array([5.0, 5.0])).tolist() == [0, 0]


def test_a_window_includes_its_ends() -> None:
    """A window keeps what lies at its ends; one without ends keeps all."""
    x = np.array([0.0, 1.0, 1.0, 2.0, 3.0])
    assert within(x, x, 1, 2)[0].tolist() == [1, 1, 2]
    assert within(x, x, None, 0)[0].tolist() == [0]
    assert within(x, x, 2.5, None)[0].tolist() == [3]
    assert within(x, x, None, None)[0] is x


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan) | st.just(math.inf), max_size=40), st.floats(0.0, 0.99999))
def test_the_fast_average_is_the_slow_one(values: list[float], weight: float) -> None:
    """The moving average of many points at once is that of `smoothed` to nine digits, NaN and infinities at their places."""
    told = np.array(values * 30, np.float64)
    slow, fast = smoothed(told, weight), moving_average(told, weight)
    known = np.isfinite(told)
    assert np.array_equal(slow[~known], fast[~known], equal_nan=True)
    assert np.allclose(slow[known], fast[known], rtol=1e-9, atol=1e-6)
