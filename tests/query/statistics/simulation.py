"""Groups that do not differ, by the thousand: how often is one called better or worse?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.query.statistics.difference import compare
from runfolio.query.statistics.values import sift
from runfolio.query.statistics.verdict import BETTER, WORSE, judge

Drawn = NDArray[np.float64]
Shape = Callable[[np.random.Generator, int], Drawn]


def normal(rng: np.random.Generator, n: int) -> Drawn:
    return rng.standard_normal(n)


def exponential(rng: np.random.Generator, n: int) -> Drawn:
    return rng.exponential(size=n) - 1


def lognormal(rng: np.random.Generator, n: int) -> Drawn:
    """Draw with a skewness of 6.2, mean 0 and sd 1."""
    return (np.exp(rng.standard_normal(n)) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)


def tied(rng: np.random.Generator, n: int) -> Drawn:
    """Draw values of few kinds, as accuracies on a small test set are."""
    return np.round(rng.standard_normal(n))


SHAPES: dict[str, Shape] = {"normal": normal, "exponential": exponential, "lognormal": lognormal, "tied": tied}


class Case(NamedTuple):
    """Two groups of one mean."""

    shape: str
    n: int
    ratio: float = 1.0
    """Of the spreads."""
    n_b: int | None = None
    paired: bool = False
    shared: float = 0.0
    """The spread of what a seed does to both of a pair."""
    nans: float = 0.0
    """The share of runs that come to NaN, in half of the groups."""

    @property
    def name(self) -> str:
        parts = [f"n={self.n}" + (f"/{self.n_b}" if self.n_b else ""), self.shape, f"sd ratio {self.ratio:g}"]
        parts += ["paired"] * self.paired + [f"{self.nans:.0%} NaN"] * bool(self.nans)
        return " ".join(parts)


def draw(case: Case, rng: np.random.Generator) -> tuple[Drawn, Drawn]:
    """Draw one pair of groups, NaN left out."""
    shape = SHAPES[case.shape]
    a, b = case.ratio * shape(rng, case.n), shape(rng, case.n_b or case.n)
    if case.paired:
        seed = case.shared * rng.standard_normal(case.n)
        a, b = a + seed, b + seed
    if not case.nans:
        return a, b
    for one in (a, b):
        lost = max(1, round(case.nans * len(one))) * int(rng.integers(2))
        one[rng.permutation(len(one))[:lost]] = np.nan
    if case.paired:
        a, b = a + 0 * b, b + 0 * a  # a pair lives only whole
    return sift(a).finite, sift(b).finite


def false_positives(case: Case, trials: int, seed: int = 7) -> float:
    """Give the share of trials in which groups that do not differ are said to."""
    rng = np.random.default_rng([seed, *case.name.encode()])
    hits = 0
    for _ in range(trials):
        a, b = draw(case, rng)
        found = compare(a, b, paired=case.paired)
        if found.p_cautious is not None and found.p_cautious < 0.05:  # else judge would look for more seeds
            hits += judge(found, "max").word in (BETTER, WORSE)
    return hits / trials
