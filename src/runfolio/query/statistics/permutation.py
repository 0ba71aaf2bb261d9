"""Permutation tests: exact where few arrangements exist, else over a fixed number of them drawn with a fixed seed."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from runfolio.query.statistics.values import Values

EXACT_MAX, EXACT_SIGNS_MAX = 10_000, 2**15
"""So many arrangements are gone through one by one."""
DRAWN = 9_999
POOLED_MAX = 200
"""Beyond so many values together a permutation test says what Welch's does, and takes longer."""
_SEED = 19_350_101
_TIE = 1e-9  # statistics nearer than this are equal but for rounding


def smallest_p(n_a: int, n_b: int) -> float:
    """Give the least p that two groups of these sizes can come to; 1 where they are too large for this test."""
    if n_a + n_b > POOLED_MAX:
        return 1.0
    ways = comb(n_a + n_b, n_a)
    return 2 / (ways if ways <= EXACT_MAX else DRAWN + 1)


def smallest_paired_p(pairs: int) -> float:
    """Give the least p that so many pairs can come to."""
    if pairs > POOLED_MAX:
        return 1.0
    return 2 / (2**pairs if 2**pairs <= EXACT_SIGNS_MAX else DRAWN + 1)


def unpaired_p(a: Values, b: Values) -> float:
    """Test whether two groups are of one distribution: how often does dealing their values anew part them as far?

    The statistic is Welch's t, so that groups of different size and spread are judged by their own spread; for groups of
    one size it orders the arrangements as the difference of means does. Two-sided; twice the smaller tail where sizes differ.
    Source: Janssen 1997.
    """
    a, b = sorted((np.sort(a), np.sort(b)), key=lambda one: (len(one), one.tolist()))  # one answer for any order
    pooled = np.concatenate([a, b])
    pooled = pooled - pooled.mean()
    pooled = pooled / np.max(np.abs(pooled))
    dealt, exact = _dealt(len(a), len(b))
    own = np.zeros((1, len(pooled)))
    own[0, : len(a)] = 1
    told = _welch(_sums(own, pooled), _sums(own, pooled**2), pooled, len(a))
    found = _welch(_sums(dealt, pooled), _sums(dealt, pooled**2), pooled, len(a))
    return _tails(found, float(told[0]), exact, len(a) == len(b))


def paired_p(differences: Values) -> float:
    """Test whether differences lie around zero: how often do random signs bring their mean as far? Source: Fisher 1935."""
    scaled = differences / np.max(np.abs(differences))
    scaled = scaled[np.argsort(np.abs(scaled), kind="stable")]  # one answer for any order
    signs, exact = _signs(len(scaled))
    return _tails(_sums(signs, scaled), float(scaled.sum()), exact, True)


def _sums(rows: NDArray[np.float64], values: Values) -> NDArray[np.float64]:
    """Add up values by the rows of an arrangement; not by `@`, whose threads wait for each other on a busy machine."""
    sums: NDArray[np.float64] = np.einsum("ij,j->i", rows, values)
    return sums


def _welch(total: NDArray[np.float64], squares: NDArray[np.float64], pooled: Values, n: int) -> NDArray[np.float64]:
    """Give Welch's t from the sum and the squares of the first group."""
    rest = len(pooled) - n
    mean_a, mean_b = total / n, (pooled.sum() - total) / rest
    var_a = np.maximum(squares - n * mean_a**2, 0) / (n - 1)
    var_b = np.maximum((pooled**2).sum() - squares - rest * mean_b**2, 0) / (rest - 1)
    spread: NDArray[np.float64] = (mean_a - mean_b) / np.sqrt(np.maximum(var_a / n + var_b / rest, 1e-24))
    return spread


def _tails(found: NDArray[np.float64], told: float, exact: bool, symmetric: bool) -> float:
    """Count the arrangements at least as far out; a drawn sample counts what was observed as one of it (Phipson & Smyth 2010).

    Where the arrangements are symmetric both tails are counted: twice the smaller of two drawn ones would be too small.
    """
    tie = _TIE * max(1.0, abs(told))
    own = 0 if exact else 1
    all_ = len(found) + own
    if symmetric:
        return (int(np.sum(np.abs(found) >= abs(told) - tie)) + own) / all_
    above, below = (int(np.sum(found >= told - tie)) + own, int(np.sum(found <= told + tie)) + own)
    return min(1.0, 2 * min(above, below) / all_)


@lru_cache(maxsize=8)
def _dealt(n_a: int, n_b: int) -> tuple[NDArray[np.float64], bool]:
    """Give for each arrangement a row with 1 for the values of the first group. Shape: (arrangement, value)."""
    both = n_a + n_b
    ways = comb(both, n_a)
    exact = ways <= EXACT_MAX
    rows = np.zeros((ways if exact else DRAWN, both))
    if exact:
        rows[np.arange(ways)[:, None], np.array(list(combinations(range(both), n_a)))] = 1
    else:
        rows[:, :n_a] = 1
        rows = np.random.default_rng(_SEED).permuted(rows, axis=1)
    return rows, exact


@lru_cache(maxsize=8)
def _signs(pairs: int) -> tuple[NDArray[np.float64], bool]:
    """Give rows of signs, a sign for each pair. Shape: (arrangement, pair)."""
    if 2**pairs <= EXACT_SIGNS_MAX:
        bits = np.arange(2**pairs)[:, None] >> np.arange(pairs) & 1
        return np.where(bits == 1, 1.0, -1.0), True
    return np.random.default_rng(_SEED).choice((1.0, -1.0), (DRAWN, pairs)), False
