"""The promise of a verdict: of groups that do not differ, at most 6 in 100 are called better or worse at α = 0.05."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from query.statistics.simulation import SHAPES, Case, false_positives
from runfolio.query.statistics.difference import compare

MOST = 0.06
SIZES = (3, 5, 10, 30)
RATIOS = {"normal": (1, 2, 5), "exponential": (1, 2, 5), "lognormal": (1, 2, 3, 5), "tied": (1, 2)}
SHORT, LONG = 100, 6_000
Record = Callable[[str, object], None]


def of_size(n: int) -> list[Case]:
    """List the cases with equal groups of a size: every shape and ratio, and with a fifth of the runs at NaN."""
    cases = [Case(shape, n, ratio) for shape, ratios in RATIOS.items() for ratio in ratios]
    cases += [Case(shape, n, ratio, nans=0.2) for shape in SHAPES for ratio in (1, 2)]
    cases += [Case(shape, n, ratio, paired=True) for shape in SHAPES for ratio in (1, 2)]
    return cases


def allowed(trials: int) -> float:
    """Give the bound with three standard errors of so many trials."""
    return MOST + 3 * float(np.sqrt(MOST * (1 - MOST) / trials))


@pytest.mark.parametrize("n", SIZES)
def test_false_positives_in_short(n: int, record_property: Record) -> None:
    """No case of this size shows more false verdicts than 6 in 100 and chance, and all together not 6 in 100."""
    rates = {case.name: false_positives(case, SHORT) for case in of_size(n)}
    worst = max(rates, key=lambda name: rates[name])
    record_property(
        f"false positives, n = {n}", f"{np.mean(list(rates.values())):.3f}, at most {rates[worst]:.3f} ({worst})"
    )
    assert rates[worst] <= allowed(SHORT)
    assert np.mean(list(rates.values())) <= MOST


@pytest.mark.long
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_false_positives(shape: str, n: int, record_property: Record) -> None:
    """No case shows more than 6 false verdicts in 100."""
    rates = {case.name: false_positives(case, LONG) for case in of_size(n) if case.shape == shape}
    for name, rate in rates.items():
        record_property(name, f"{rate:.4f}")
    assert max(rates.values()) <= MOST, rates


def test_the_caution_is_what_keeps_it(record_property: Record) -> None:
    """Without what different spreads ask for, skewed values of five times the spread would be called different far more often."""
    case = Case("lognormal", 5, 5)
    rng = np.random.default_rng(11)
    plain = 0
    for _ in range(400):
        a, b = (ratio * SHAPES["lognormal"](rng, 5) for ratio in (5, 1))
        plain += (compare(a, b, comparisons=10).p or 1) < 0.05  # Welch's
    record_property(
        "lognormal, n = 5, sd ratio 5", f"{plain / 400:.3f} by Welch's test, {false_positives(case, 400):.3f} here"
    )
    assert plain / 400 > 2 * MOST


@pytest.mark.parametrize("n", [3, 5, 10])
def test_true_differences_are_seen(n: int, record_property: Record) -> None:
    """A difference of six spreads at n = 3, three at 5, two at 10, between normal groups is seen in most trials."""
    rng = np.random.default_rng(12)
    shift = {3: 12, 5: 4, 10: 2}[n]
    found = [compare(rng.standard_normal(n) + shift, rng.standard_normal(n)).p_cautious or 1 for _ in range(200)]
    seen = float(np.mean(np.array(found) < 0.05))
    record_property(f"power, n = {n}, {shift} spreads apart", f"{seen:.2f}")
    assert seen > 0.6
