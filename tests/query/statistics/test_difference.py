"""Two groups compared: checked against printed numbers and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from runfolio.errors import UsageError
from runfolio.query.statistics.difference import (
    CAUTION_MAX,
    D_Z,
    HEDGES_G,
    PERMUTATION,
    SIGN_FLIP,
    STUDENT_PAIRED,
    WELCH,
    Difference,
    caution_of,
    compare,
    seeds_to_settle,
)
from runfolio.query.statistics.permutation import DRAWN, paired_p, smallest_p, smallest_paired_p, unpaired_p

SLEEP_1 = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SLEEP_2 = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
MAIZE = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], float)  # Darwin's, in eighths of an inch


def test_welch_agrees_with_a_printed_result() -> None:
    """Welch's interval, degrees of freedom and p of Student's sleep data are those of R's manual."""
    found = compare(SLEEP_1, SLEEP_2, comparisons=1000)  # for so many comparisons only a t-test can ever say yes
    assert found.test == WELCH
    assert (found.value, found.df) == pytest.approx((-1.58, 17.776), abs=1e-3)
    assert found.p == pytest.approx(0.07939, abs=1e-5)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((-3.3654832, 0.2054832), abs=1e-6)


def test_students_paired_test_agrees_with_a_printed_result() -> None:
    """Student's interval and p for the pairs of the sleep data are those of R's manual, d_z is t / √n."""
    found = compare(SLEEP_1, SLEEP_2, paired=True, comparisons=1000)
    assert (found.test, found.effect_name) == (STUDENT_PAIRED, D_Z)
    assert found.p == pytest.approx(0.002833, abs=1e-6)
    assert found.effect == pytest.approx(-4.0621 / math.sqrt(10), abs=1e-5)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((-2.4598858, -0.7001142), abs=1e-6)


def test_the_paired_permutation_agrees_with_fisher() -> None:
    """Of the 2^15 signs of Darwin's 15 differences 863 give a sum of 314 or more, as Fisher counted in 1935."""
    assert MAIZE.sum() == 314
    assert paired_p(MAIZE) == pytest.approx(2 * 863 / 2**15, rel=1e-12)


def of_means(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    return np.mean(a, axis=axis) - np.mean(b, axis=axis)


@given(st.lists(st.integers(-20, 20), min_size=10, max_size=10), st.integers(4, 5))
def test_the_permutation_test_agrees_with_scipy(numbers: list[int], n: int) -> None:
    """For groups of one size the exact test is scipy's over the difference of means, also with ties."""
    a, b = np.array(numbers[:n], float), np.array(numbers[n : 2 * n], float)
    if np.ptp(np.concatenate([a, b])) == 0:
        return
    expected = stats.permutation_test((a, b), of_means, vectorized=True, n_resamples=np.inf).pvalue
    assert unpaired_p(a, b) == pytest.approx(expected, rel=1e-9)


def test_drawn_arrangements_come_near_to_all_of_them() -> None:
    """Where there are too many arrangements, drawing 9,999 of them with a fixed seed agrees with scipy's drawing."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(0, 1, 12), rng.normal(0.9, 1, 12)
    expected = stats.permutation_test(
        (a, b),
        lambda *both, axis: np.abs(of_means(*both, axis=axis)),
        vectorized=True,
        alternative="greater",
        n_resamples=50_000,
        rng=rng,
    ).pvalue
    assert unpaired_p(a, b) == unpaired_p(b, a[::-1]) == pytest.approx(expected, abs=0.01)
    assert smallest_p(12, 12) == 2 / (DRAWN + 1)
    assert paired_p(np.concatenate([a, b])) == pytest.approx(stats.ttest_1samp([*a, *b], 0).pvalue, abs=0.03)


@pytest.mark.parametrize(("n", "comparisons", "test"), [
    (3, 1, WELCH), (4, 1, WELCH), (5, 1, PERMUTATION), (5, 3, PERMUTATION), (5, 6, WELCH), (6, 6, PERMUTATION),
    (10, 45, PERMUTATION), (100, 1, PERMUTATION), (101, 1, WELCH),
])  # fmt: skip
def test_the_permutation_test_is_taken_where_it_could_say_yes(n: int, comparisons: int, test: str) -> None:
    """Its smallest possible p, times the comparisons, lies below α/2; else Welch's is taken, and each is named."""
    rng = np.random.default_rng(n)
    found = compare(rng.normal(size=n), rng.normal(size=n), comparisons=comparisons)
    assert found.test == test
    assert (smallest_p(n, n) < 0.025 / comparisons) == (test == PERMUTATION)


@pytest.mark.parametrize(("n", "test"), [(3, STUDENT_PAIRED), (6, STUDENT_PAIRED), (7, SIGN_FLIP), (30, SIGN_FLIP)])
def test_the_paired_permutation_test_is_taken_where_it_could_say_yes(n: int, test: str) -> None:
    """From seven pairs on signs are permuted; below that it is Student's test."""
    rng = np.random.default_rng(n)
    assert compare(rng.normal(size=n), rng.normal(size=n), paired=True).test == test
    assert (smallest_paired_p(n) < 0.025) == (test == SIGN_FLIP)


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=12), st.lists(st.floats(-100, 100), min_size=3, max_size=12))
def test_the_interval_agrees_with_scipy(one: list[float], other: list[float]) -> None:
    """Welch's difference, interval and p are scipy's, and a and b change places without changing the answer."""
    a, b = np.array(one), np.array(other)
    found, turned = compare(a, b), compare(b, a)
    if found.unsettled or min(a.std(), b.std()) < 1e-6:
        return
    expected = stats.ttest_ind(a, b, equal_var=False)
    low, high = expected.confidence_interval()
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), rel=1e-6, abs=1e-9)
    if found.test == WELCH:
        assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert (turned.value, turned.p, turned.caution) == pytest.approx((-(found.value or 0), found.p, found.caution))


def test_hedges_g_is_cohens_d_corrected() -> None:
    """Hedges' g of two groups of ten is Cohen's d times 1 - 3/(4·18 - 1), to three digits."""
    found = compare(SLEEP_1, SLEEP_2)
    cohen = -1.58 / math.sqrt((SLEEP_1.var(ddof=1) + SLEEP_2.var(ddof=1)) / 2)
    assert found.effect_name == HEDGES_G
    assert found.effect == pytest.approx(cohen * (1 - 3 / 71), abs=1e-4)


@pytest.mark.parametrize(("a", "b", "paired", "why"), [
    ([1, 2], [1, 2, 3], False, "too few values"),
    ([], [1, 2, 3], False, "too few values"),
    ([1, 2], [3, 5], True, "too few values"),
    ([1, 1, 1], [2, 2, 2], False, "no spread"),
    ([1] * 9, [2] * 9, False, "no spread"),
    ([1, 1, 1], [1, 2, 3], False, "no spread"),
    ([1, 2, 3], [2, 3, 4], True, "no spread"),
    ([0.1, 0.2, 0.3], [0.2, 0.3, 0.4], True, "no spread"),
])  # fmt: skip
def test_where_no_test_is_honest_none_is_made(a: list[float], b: list[float], paired: bool, why: str) -> None:
    """Fewer than three values, or values that do not vary with the seed: no p, no interval, no effect."""
    found = compare(np.array(a, float), np.array(b, float), paired=paired)
    assert (found.unsettled, found.test, found.p, found.interval) == (why, None, None, None)


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e-3, 1e149])
def test_no_size_of_values_is_too_much(scale: float) -> None:
    """Values so small that they have no variance, and very large ones, make neither an error nor a NaN."""
    a, b = np.array([1.0, 2, 4]) * scale, np.array([2.0, 2, 5]) * scale
    for paired in (False, True):
        found = compare(a, b, paired=paired)
        assert found.unsettled or math.isfinite((found.p or 0) + (found.effect or 0))


def test_pairs_must_be_pairs() -> None:
    """Pairs of different length are refused."""
    with pytest.raises(UsageError, match="got 3 and 4"):
        compare(np.arange(3.0), np.arange(4.0), paired=True)


def test_different_spreads_ask_for_more() -> None:
    """The p that a verdict rests on is the test's own where spreads are equal, and up to 50 times as much where they are not."""
    even = np.array([1.0, 2, 3, 4, 5])
    assert caution_of(even, even + 7) == 1
    assert caution_of(even, even * 1.5) == caution_of(even * 1.5, even) == pytest.approx(1.5**6)
    assert caution_of(even, even * 5) == caution_of(even, even * 0) == CAUTION_MAX
    found = compare(even[:3], even[:3] * 1.5 + 50)
    assert found.p_cautious == pytest.approx((found.p or 0) * 1.5**6)


@pytest.mark.parametrize(("effect", "paired", "n"), [
    (0.2, False, 394), (0.5, False, 64), (0.8, False, 26), (0.5, True, 34), (0.2, True, 199),
])  # fmt: skip
def test_the_seeds_that_would_settle_it_are_those_of_printed_tables(effect: float, paired: bool, n: int) -> None:
    """For 80 % power at α = 0.05 the group sizes are those of Cohen's tables and of G*Power."""
    found = Difference(10, 10, paired, effect, sd_a=1.0, sd_b=1.0)
    assert seeds_to_settle(found) == n - 10


def test_no_number_of_seeds_settles_nothing() -> None:
    """A difference of zero, or one that 10,000 seeds would not settle, has no number."""
    assert seeds_to_settle(Difference(5, 5, False, 0.0, sd_a=1.0, sd_b=1.0)) is None
    assert seeds_to_settle(Difference(5, 5, False, 1e-6, sd_a=1.0, sd_b=1.0)) is None
