"""Correct p-values for many comparisons."""

from __future__ import annotations

from collections.abc import Sequence


def holm(ps: Sequence[float], total: int | None = None) -> list[float]:
    """Raise each p so that, all together, the probability of a false *better* stays at alpha. Source: Holm 1979.

    Args:
        total: of how many comparisons these are some. Where the best group was chosen by looking, it is every pair
            that could have been chosen: testing the extremes alone and correcting for those few finds differences in noise.
    """
    left = max(total or 0, len(ps))
    raised = [0.0] * len(ps)
    highest = 0.0
    for place, at in enumerate(sorted(range(len(ps)), key=lambda at: ps[at])):
        highest = max(highest, min(1.0, ps[at] * (left - place)))
        raised[at] = highest
    return raised
