"""Compare two groups of values: the difference, its interval, a test that is honest here, the size of the effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from runfolio.errors import UsageError
from runfolio.query.statistics.describe import Interval
from runfolio.query.statistics.permutation import paired_p, smallest_p, smallest_paired_p, unpaired_p
from runfolio.query.statistics.student import power, quantile, two_sided
from runfolio.query.statistics.values import LEAST, Values, is_constant

ALPHA = 0.05
POWER = 0.8
WELCH, STUDENT_PAIRED = "Welch's t-test", "Student's paired t-test"
PERMUTATION, SIGN_FLIP = "permutation test", "paired permutation test"
HEDGES_G, D_Z = "Hedges' g", "d_z"
TOO_FEW, NO_SPREAD = "too few values", "no spread"
CAUTION_MAX, _CAUTION_POWER = 50.0, 6
SEEDS_MAX = 10_000


@dataclass(frozen=True)
class Difference:
    """How two groups differ: a - b."""

    n_a: int
    n_b: int
    paired: bool
    """Whether the values stand in pairs, of one seed each; then n_a = n_b is their number."""
    value: float | None
    """The difference of the means, or the mean difference of the pairs; None where a group is empty."""
    interval: Interval | None = None
    """Of the difference, at 95 %: Welch's, or Student's of the pairs."""
    test: str | None = None
    p: float | None = None
    """Of the test itself."""
    p_cautious: float | None = None
    """What the verdict rests on: `p`, but no less than the t-test's times `caution`."""
    caution: float = 1.0
    """The cube of the ratio of the two variances, at most 50."""
    effect: float | None = None
    effect_name: str | None = None
    unsettled: str | None = None
    """Why no test is honest here: "too few values" or "no spread"."""
    standard_error: float = math.nan
    df: float = math.nan
    sd_a: float = math.nan
    sd_b: float = math.nan


def compare(a: Values, b: Values, *, paired: bool = False, comparisons: int = 1, alpha: float = ALPHA) -> Difference:
    """Compare two groups of finite values.

    The permutation test where the least p that it can come to is below half of `alpha / comparisons`, else the t-test:
    a test that could never say yes would only hide a difference.

    Args:
        paired: a and b have one length, and the values at one place belong together.
        comparisons: how many are made at once; `holm` corrects for it.
    """
    if paired and len(a) != len(b):
        raise UsageError(f"pairs need as many values on each side; got {len(a)} and {len(b)}")
    value = float(np.mean(a) - np.mean(b)) if len(a) and len(b) else None
    if min(len(a), len(b)) < LEAST:
        return Difference(len(a), len(b), paired, value, unsettled=TOO_FEW)
    level = alpha / max(comparisons, 1) / 2
    return _paired(a, b, level, alpha) if paired else _unpaired(a, b, level, alpha)


def _unpaired(a: Values, b: Values, level: float, alpha: float) -> Difference:
    value = float(np.mean(a) - np.mean(b))
    permutes = smallest_p(len(a), len(b)) < level
    flat = is_constant(a) + is_constant(b)
    if flat == 2 or (flat and not permutes):
        return Difference(len(a), len(b), False, value, unsettled=NO_SPREAD)
    error, df = _welch(a, b)
    welch = two_sided(value / error, df)
    p = unpaired_p(a, b) if permutes else welch
    caution = caution_of(a, b)
    return Difference(
        n_a=len(a),
        n_b=len(b),
        paired=False,
        value=value,
        interval=_around(value, error, df, alpha, "Welch t"),
        test=PERMUTATION if permutes else WELCH,
        p=p,
        p_cautious=max(p, min(1.0, welch * caution)),
        caution=caution,
        effect=hedges_g(a, b),
        effect_name=HEDGES_G,
        standard_error=error,
        df=df,
        sd_a=float(np.std(a, ddof=1)),
        sd_b=float(np.std(b, ddof=1)),
    )


def _paired(a: Values, b: Values, level: float, alpha: float) -> Difference:
    differences = a - b
    value = float(np.mean(differences))
    if is_constant(differences) or np.ptp(differences) <= 1e-12 * np.max(np.abs([a, b])):
        return Difference(len(a), len(a), True, value, unsettled=NO_SPREAD)
    sd = float(np.std(differences, ddof=1))
    error, df = sd / math.sqrt(len(a)), len(a) - 1
    student = two_sided(value / error, df)
    permutes = smallest_paired_p(len(a)) < level
    p = paired_p(differences) if permutes else student
    caution = caution_of(a, b)
    return Difference(
        n_a=len(a),
        n_b=len(b),
        paired=True,
        value=value,
        interval=_around(value, error, df, alpha, "Student t of the pairs"),
        test=SIGN_FLIP if permutes else STUDENT_PAIRED,
        p=p,
        p_cautious=max(p, min(1.0, student * caution)),
        caution=caution,
        effect=value / sd,
        effect_name=D_Z,
        standard_error=error,
        df=df,
        sd_a=sd,
        sd_b=sd,
    )


def _around(value: float, error: float, df: float, alpha: float, method: str) -> Interval:
    half = quantile(1 - alpha / 2, df) * error
    return Interval(value - half, value + half, method)


def _welch(a: Values, b: Values) -> tuple[float, float]:
    """Give the standard error of the difference and its degrees of freedom. Source: Welch 1947, Satterthwaite 1946."""
    part_a, part_b = float(np.var(a, ddof=1)) / len(a), float(np.var(b, ddof=1)) / len(b)
    most = max(part_a, part_b)
    one, other = part_a / most, part_b / most  # so that no square is too small for a float
    df = (one + other) ** 2 / (one**2 / (len(a) - 1) + other**2 / (len(b) - 1))
    return math.sqrt(most * (one + other)), df


def caution_of(a: Values, b: Values) -> float:
    """Say by how much a t-test's p is raised where the two spreads differ.

    Where they do, the test leans on the noisier group's values being symmetric, and those of losses and times are not:
    at five seeds, lognormal values and five times the spread Welch's test sees a difference that is none in 16 of 100
    cases. The power and the bound are the smallest, by simulation, that keep it below 6 (docs/guide/statistics.md).
    """
    spreads = sorted((float(np.std(a, ddof=1)), float(np.std(b, ddof=1))))
    if spreads[0] * CAUTION_MAX ** (1 / _CAUTION_POWER) <= spreads[1]:
        return CAUTION_MAX
    return (spreads[1] / spreads[0]) ** _CAUTION_POWER


def hedges_g(a: Values, b: Values) -> float:
    """Give the difference in units of the pooled spread, corrected for few values. Source: Hedges 1981."""
    df = len(a) + len(b) - 2
    pooled = math.sqrt(((len(a) - 1) * float(np.var(a, ddof=1)) + (len(b) - 1) * float(np.var(b, ddof=1))) / df)
    correction = math.exp(gammaln(df / 2) - gammaln((df - 1) / 2) - math.log(df / 2) / 2)
    return correction * float(np.mean(a) - np.mean(b)) / pooled


def seeds_to_settle(found: Difference, level: float = ALPHA) -> int | None:
    """Say about how many more seeds, of each group, would settle a difference of this size at 80 % power.

    None where more than 10,000 would not do, or there is nothing to go by. The p-value that a t-test needs is `level`;
    pass what is left of alpha after caution and correction.
    """
    if not found.value or found.unsettled:
        return None
    have = min(found.n_a, found.n_b)
    low, high = have, SEEDS_MAX + have
    if _power(found, high, level) < POWER:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(found, middle, level) >= POWER else (middle, high)
    return high - have


def _power(found: Difference, n: int, level: float) -> float:
    """Give the power with n values on each side and the spreads as found."""
    assert found.value is not None
    if found.paired:
        return power(found.value / found.sd_a * math.sqrt(n), n - 1, level)
    one, other = found.sd_a**2, found.sd_b**2
    most = max(one, other)
    df = (n - 1) * (one / most + other / most) ** 2 / ((one / most) ** 2 + (other / most) ** 2)
    return power(found.value / math.sqrt(one + other) * math.sqrt(n), df, level)
