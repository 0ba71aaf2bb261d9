"""Compare many groups with each other: which pairs, which values belong together, what the correction makes of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from runfolio.query.statistics.difference import ALPHA, Difference, compare
from runfolio.query.statistics.holm import holm
from runfolio.query.statistics.values import LEAST, Values
from runfolio.query.statistics.verdict import Verdict, judge

ALL_PAIRS_MAX = 8
"""So few groups are compared each with each; more of them with the best one only."""
AGAINST_BEST_MAX = 50


class Sample(NamedTuple):
    """The finite values of a group, and the seed that each came from."""

    values: Values
    seeds: Sequence[Hashable] | None = None
    """None where they are not known."""


class Pair(NamedTuple):
    """Two groups compared, by their places: the first stands further up."""

    a: int
    b: int
    difference: Difference
    verdict: Verdict


class Pairs(NamedTuple):
    """What came out of comparing groups."""

    pairs: list[Pair]
    comparisons: int
    """For how many comparisons the p-values are corrected: all that could have been picked, also where fewer were made."""
    uncompared: int
    """How many of the groups were too many to be compared with the best one."""


def compare_all(samples: Sequence[Sample], goal: str, alpha: float = ALPHA) -> Pairs:
    """Compare groups that stand in the order of the goal, the best first."""
    testable = sum(len(sample.values) >= LEAST for sample in samples)
    comparisons = max(1, testable * (testable - 1) // 2)
    places, uncompared = _places(samples)
    differences = [_compared(samples[a], samples[b], comparisons, alpha) for a, b in places]
    tested = [at for at, found in enumerate(differences) if found.p_cautious is not None]
    raised = dict(zip(tested, holm([differences[at].p_cautious or 0.0 for at in tested], comparisons), strict=True))
    pairs = [
        Pair(a, b, found, judge(found, goal, raised.get(at), comparisons, alpha))
        for at, ((a, b), found) in enumerate(zip(places, differences, strict=True))
    ]
    return Pairs(pairs, comparisons, uncompared)


def _places(samples: Sequence[Sample]) -> tuple[list[tuple[int, int]], int]:
    """Choose which groups are compared: each two, or the best that can be tested with those next to it."""
    known = [at for at, sample in enumerate(samples) if len(sample.values)]
    if len(known) <= ALL_PAIRS_MAX:
        return [(a, b) for nth, a in enumerate(known) for b in known[nth + 1 :]], 0
    best = next((at for at in known if len(samples[at].values) >= LEAST), known[0])
    others = [at for at in known if at != best]
    chosen = others[:AGAINST_BEST_MAX]
    return [(min(best, at), max(best, at)) for at in chosen], len(others) - len(chosen)


def _compared(a: Sample, b: Sample, comparisons: int, alpha: float) -> Difference:
    matched = match(a, b)
    if matched is None:
        return compare(a.values, b.values, comparisons=comparisons, alpha=alpha)
    return compare(*matched, paired=True, comparisons=comparisons, alpha=alpha)


def match(a: Sample, b: Sample) -> tuple[Values, Values] | None:
    """Give the values of the seeds that both groups have, in pairs.

    None where fewer than three match, or less than half of the smaller group: what is left out would weigh more than
    what pairing gains. None too where a seed stands twice in a group.
    """
    if a.seeds is None or b.seeds is None:
        return None
    by_seed_a, by_seed_b = (dict(zip(one.seeds or (), one.values, strict=True)) for one in (a, b))
    if len(by_seed_a) < len(a.values) or len(by_seed_b) < len(b.values):
        return None
    common = [seed for seed in by_seed_a if seed in by_seed_b]
    if len(common) < max(LEAST, min(len(by_seed_a), len(by_seed_b)) / 2):
        return None
    return np.array([by_seed_a[seed] for seed in common]), np.array([by_seed_b[seed] for seed in common])
