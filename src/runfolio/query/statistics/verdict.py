"""Say in words what a comparison came to."""

from __future__ import annotations

from dataclasses import dataclass

from runfolio.query.statistics.difference import ALPHA, NO_SPREAD, Difference, seeds_to_settle

BETTER, WORSE, NOISE, UNSETTLED = "better", "worse", "inside the noise", "cannot be settled"


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to, of the first group against the second."""

    word: str
    """better, worse, inside the noise, cannot be settled"""
    p: float | None
    """What it rests on: cautious and corrected for all comparisons."""
    more_seeds: int | None
    """Inside the noise: about how many more seeds of each group would settle a difference of this size."""
    text: str


def judge(found: Difference, goal: str, p: float | None = None, comparisons: int = 1, alpha: float = ALPHA) -> Verdict:
    """Judge a comparison.

    Args:
        goal: "min" where low is better, "max" where high is.
        p: what correction for many comparisons made of `found.p_cautious`; default: that itself.
        comparisons: how many they are, so that seeds enough for all of them are asked for.
    """
    if found.unsettled or found.value is None or found.p_cautious is None:
        return Verdict(UNSETTLED, None, None, _why_not(found))
    p = found.p_cautious if p is None else p
    if p < alpha:
        word = BETTER if (found.value < 0) == (goal == "min") else WORSE
        return Verdict(word, p, None, word)
    more = seeds_to_settle(found, alpha / (found.caution * max(comparisons, 1)))
    return Verdict(NOISE, p, more, f"{NOISE}; {_more_words(found.value, more)}")


def _more_words(value: float, more: int | None) -> str:
    if not value:
        return "there is no difference to settle"
    if more is None:
        return "no number of seeds within reach would settle a difference of this size"
    return f"about {more:,} more {'seed' if more == 1 else 'seeds'} would settle a difference of this size"


def _why_not(found: Difference) -> str:
    if found.unsettled == NO_SPREAD:
        what = "the difference is the same for every seed" if found.paired else "the values do not vary with the seed"
        return f"{UNSETTLED} with n = {min(found.n_a, found.n_b)} here: {what}"
    return f"{UNSETTLED} with n = {min(found.n_a, found.n_b)} here"
