"""Charts as binary frames."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from runfolio.query.bands import Laid
from runfolio.query.charts.axis import BY_STEP
from runfolio.query.charts.chart import Band, Chart, Curve
from runfolio.server.frames import frame_of, read_frame


class Named:
    """A run, as far as a frame tells of it."""

    def __init__(self, id_: str) -> None:
        self.id = id_


def chart_with(*values: NDArray[np.float64], metric: str = "m") -> Chart:
    """Make a chart of exact curves."""
    found = Chart(
        metric, "min", BY_STEP, len(values), len(values), grids=[np.arange(len(one), dtype=float) for one in values]
    )
    for place, one in enumerate(values):
        curve = Curve(Named(f"{place:032x}"), place, len(one), one, None, None, None, None, [], [math.nan, 1.0])  # type: ignore[arg-type]
        found.curves.append(curve)
    return found


VALUES = st.lists(st.floats(allow_infinity=False), max_size=30).map(lambda one: np.array(one, np.float64))


@given(st.lists(VALUES, min_size=1, max_size=5))
def test_f8_bends_no_number(values: list[NDArray[np.float64]]) -> None:
    """What goes into a frame as f8 comes out bit for bit, NaN where there is a gap."""
    frame = read_frame(frame_of(chart_with(*values)))
    for one, curve in zip(values, frame.header["curves"], strict=True):
        told = frame.array(curve["y"])
        assert np.array_equal(told, one, equal_nan=True) and np.array_equal(
            np.signbit(told[one == 0]), np.signbit(one[one == 0])
        )
        assert curve["final"] == [{"$": "NaN"}, 1.0]


@given(st.lists(VALUES, min_size=1, max_size=5), st.sampled_from(["f4", "u2"]))
def test_other_forms_lie_near(values: list[NDArray[np.float64]], form: str) -> None:
    """f4 is right to seven digits and u2 to a sixty-thousandth of what the curve spans; gaps stay, and nothing becomes one."""
    frame = read_frame(frame_of(chart_with(*values), form))
    with np.errstate(over="ignore"):
        spans = [float(np.ptp(one[~np.isnan(one)])) if (~np.isnan(one)).any() else 0.0 for one in values]
    for one, curve, span in zip(values, frame.header["curves"], spans, strict=True):
        told = frame.array(curve["y"])
        assert np.array_equal(np.isnan(told), np.isnan(one))
        known = ~np.isnan(one)
        reach = 64 * span if form == "u2" and math.isfinite(span) else math.inf
        room = (
            reach / 65534 + 1e-12 * np.abs(one[known])
            if curve["y"]["as"] == "u2"
            else 1e-6 * np.abs(one[known]) + 1e-40
        )
        assert (np.abs(told[known] - one[known]) <= room).all()


@pytest.mark.parametrize("odd", [np.zeros(0), np.full(5, math.nan)])
def test_a_curve_without_numbers_costs_the_others_no_levels(odd: NDArray[np.float64]) -> None:
    """Many curves far from 0 keep their levels where one of them has no number."""
    values = [0.9 + 0.05 * np.sin(7.3 * np.arange(40) + 0.37 * number) for number in range(300)]
    heights = []
    for some in (values, [*values, odd]):
        frame = read_frame(frame_of(chart_with(*some), "u2"))
        heights.append(len(np.unique(np.concatenate([frame.array(one["y"]) for one in frame.header["curves"][:300]]))))
    assert heights[0] == heights[1] > 500


@pytest.mark.parametrize("curve", [np.array([0.7, 0.8, 0.9]), np.full(3, 0.7), np.full(3, math.nan)])
def test_a_band_reaches_beyond_the_curves_that_are_drawn(curve: NDArray[np.float64]) -> None:
    """The band is over all runs, the curves may be of some: it is not cut off where those end."""
    found = chart_with(curve)
    low, centre, high = np.array([[0.1, 0.2, 0.3], [0.3, 0.4, 0.5], [0.6, 0.7, 0.8]])
    found.bands.append(Band(None, [], 0, Laid(np.arange(3), centre, low, high), "median", "10–90 %"))
    frame = read_frame(frame_of(found, "u2"))
    (band,) = frame.header["bands"]
    for name, values in (("low", low), ("centre", centre), ("high", high)):
        assert frame.array(band[name]) == pytest.approx(values, abs=1e-4)


def test_arrays_stand_where_the_header_says() -> None:
    """The header ends at a multiple of eight, each array begins at one, and a name of any length moves them all."""
    for length in range(12):
        raw = frame_of(chart_with(np.arange(3.0), np.arange(5.0), metric="m" * length), "u2")
        frame = read_frame(raw)
        assert raw[:4] == b"RFF1" and (len(raw) - len(frame.body)) % 8 == 0
        for curve, grid in zip(frame.header["curves"], frame.header["grids"], strict=True):
            assert curve["y"]["at"] % 8 == grid["at"] % 8 == 0
            assert frame.array(curve["y"]) == pytest.approx(frame.array(grid), abs=1e-3)


def test_bands_and_odd_names() -> None:
    """A band comes with counts, its params and all its numbers; names of any text stand in the header."""
    found = chart_with(metric="\ud800 'm' \x00")
    laid = Laid(np.array([3, 2]), np.array([1.0, 2.0]), np.array([0.5, math.nan]), np.array([1.5, math.nan]))
    found.grids.append(np.array([0.0, 1.0]))
    found.bands.append(Band({"lr": math.inf, "$x": 2**60}, [Named("a" * 32)], 0, laid, "mean", "95 %"))  # type: ignore[list-item]
    frame = read_frame(frame_of(found, "f4"))
    (band,) = frame.header["bands"]
    assert band["params"] == {"lr": {"$": "Infinity"}, "$$x": {"$": str(2**60)}} and band["ids"] == ["a" * 32]
    assert frame.array(band["count"]).tolist() == [3, 2]
    assert np.array_equal(frame.array(band["low"]), [0.5, math.nan], equal_nan=True)
    with pytest.raises(ValueError):
        read_frame(b"RFF0" + bytes(20))
