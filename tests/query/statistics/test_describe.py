"""A group of values in a few numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runfolio.query.statistics.describe import BCA, STUDENT, describe, interquartile_mean

SLEEP = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]  # Student 1908, the first drug


def test_numbers_of_a_published_set() -> None:
    """Mean, standard deviation, median and Student's interval are those that are printed for Student's own data."""
    told = describe(SLEEP, "max")
    assert told.n == 10
    assert told.mean == pytest.approx(0.75)
    assert told.sd == pytest.approx(1.789010, abs=1e-6)
    assert told.median == pytest.approx(0.35)
    assert told.interval is not None and told.interval.method == STUDENT
    assert (told.interval.low, told.interval.high) == pytest.approx((-0.5297804, 2.0297804), abs=1e-6)
    assert (told.best, told.worst) == (3.7, -1.6)
    assert (describe(SLEEP, "min").best, describe(SLEEP, "min").worst) == (-1.6, 3.7)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=60))
def test_the_middle_half_agrees_with_scipy(values: list[float]) -> None:
    """The interquartile mean is scipy's mean with a quarter trimmed from each end."""
    expected = stats.trim_mean(values, 0.25)
    assert interquartile_mean(np.array(values)) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("values", [[], [0.5], [0.5, 0.7], [0.5, math.nan, math.inf, 0.7]])
def test_below_three_values_there_is_no_mean(values: list[float]) -> None:
    """One or two values stand for themselves: no mean, no interval."""
    told = describe(values, "min")
    assert (told.mean, told.sd, told.interval) == (None, None, None)
    assert told.values.tolist() == [value for value in values if math.isfinite(value)]


def test_what_is_no_number_is_counted() -> None:
    """NaN and the infinities are left out of every number, and counted apart."""
    told = describe([1.0, math.nan, 2.0, math.inf, 3.0, -math.inf, math.nan])
    assert (told.n, told.nans, told.infinite, told.mean) == (3, 2, 2, 2.0)
    assert (told.best, told.worst) == (None, None)


def test_the_interval_is_a_bootstrap_from_thirty_values_on() -> None:
    """From 30 values on the interval is BCa's and named so, the same each time, and longer where the values reach further."""
    values = np.random.default_rng(1).exponential(size=30)
    short, full = describe(values[:29]).interval, describe(values).interval
    assert short is not None and short.method == STUDENT
    assert full is not None and full.method == BCA
    assert full == describe(values).interval
    mean = values.mean()
    assert full.high - mean > mean - full.low


@pytest.mark.parametrize("n", [30, 200])
@pytest.mark.parametrize("shape", ["normal", "exponential", "lognormal"])
def test_the_bootstrap_agrees_with_scipy(shape: str, n: int) -> None:
    """BCa's ends are those of `scipy.stats.bootstrap` to within the noise of drawing."""
    values = getattr(np.random.default_rng(n), shape)(size=n)
    found = describe(values).interval
    assert found is not None
    again = stats.bootstrap((values,), np.mean, n_resamples=30_000, method="BCa", rng=np.random.default_rng(9))
    error = values.std() / np.sqrt(n)
    assert (found.low, found.high) == pytest.approx(tuple(again.confidence_interval), abs=0.12 * error)


def test_equal_values_have_an_interval_without_width() -> None:
    """Values that are all equal, also many of them, make neither NaN nor a warning."""
    for n in (3, 40):
        told = describe([0.1] * n).interval
        assert told is not None and (told.low, told.high) == pytest.approx((0.1, 0.1))


def test_the_interval_holds_what_it_says() -> None:
    """Of 2,000 groups of five normal values, about 95 in 100 have the true mean in their interval."""
    rng = np.random.default_rng(3)
    found = [describe(rng.standard_normal(5)).interval for _ in range(2000)]
    inside = sum(one is not None and one.low <= 0 <= one.high for one in found) / 2000
    assert inside == pytest.approx(0.95, abs=0.015)
