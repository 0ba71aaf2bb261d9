"""Quantiles of Student's t without scipy, for whole degrees of freedom: a server that draws bands need not hold 27 MB for one number.

Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4 (the distribution as a finite sum), 26.7.5 (many degrees).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

_MANY = 100
"""From so many degrees on the expansion is right to nine digits."""


@lru_cache(4096)
def t_quantile(p: float, df: int) -> float:
    """Give the value that a share `p` of a t distribution lies below; 1/2 < p < 1."""
    return _expanded(p, df) if df >= _MANY else _solved(2 * p - 1, df)


def _expanded(p: float, df: int) -> float:
    z = math.sqrt(2) * _root(
        math.erf, 2 * p - 1, 30.0
    )  # the standard library's own `statistics` would be a user's script of that name
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / df**power for power, term in enumerate(terms))


def _solved(share: float, df: int) -> float:
    """Find the angle within which a share of the distribution lies: it rises from 0 to 1 over a quarter turn."""
    return math.sqrt(df) * math.tan(_root(lambda angle: _within(angle, df), share, math.pi / 2))


def _root(rising: Callable[[float], float], value: float, most: float) -> float:
    """Find by bisection where a rising function has a value, between 0 and `most`."""
    low, high = 0.0, most
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < value else (low, middle)
    return (low + high) / 2


def _within(angle: float, df: int) -> float:
    """Give the share within ±t, where tan(angle) = t / √df."""
    sine, square = math.sin(angle), math.cos(angle) ** 2
    odd = df % 2
    term = total = math.cos(angle) if odd else 1.0
    for k in range(2 + odd, df - 1, 2):
        term *= square * (k - 1) / k
        total += term
    if not odd:
        return sine * total
    return 2 / math.pi * (angle + (sine * total if df > 1 else 0.0))
