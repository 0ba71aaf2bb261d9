"""The t distribution: quantiles, p-values and power.

`scipy.special` has the functions that `scipy.stats.t` and `nct` call; it loads in a third of the time, which a command on a terminal feels.
"""

from __future__ import annotations

import math

from scipy.special import nctdtr, stdtr, stdtrit


def quantile(p: float, df: float) -> float:
    """Give the value that a share `p` of a t distribution lies below."""
    return float(stdtrit(df, p))


def two_sided(t: float, df: float) -> float:
    """Give the probability of a t at least so far from zero, on either side."""
    return float(2 * stdtr(df, -abs(t)))


def power(effect: float, df: float, alpha: float) -> float:
    """Give the probability that a two-sided t test at `alpha` sees an effect of so many standard errors."""
    critical = -quantile(alpha / 2, df)
    seen = float(nctdtr(df, abs(effect), critical))
    return 1 - seen if math.isfinite(seen) else 1.0
