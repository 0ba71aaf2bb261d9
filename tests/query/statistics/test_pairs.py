"""Many groups: which pairs are compared, which values belong together, corrections and verdicts."""

from __future__ import annotations

import numpy as np
import pytest

from runfolio.query.statistics.difference import Difference, compare
from runfolio.query.statistics.holm import holm
from runfolio.query.statistics.pairs import AGAINST_BEST_MAX, Sample, compare_all, match
from runfolio.query.statistics.verdict import BETTER, NOISE, UNSETTLED, WORSE, judge


def test_holm_agrees_with_a_printed_example() -> None:
    """The p-values 0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02; for ten comparisons they are raised further."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, 0.005], 10) == pytest.approx([0.09, 0.05])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def apart(n: int) -> tuple[np.ndarray, np.ndarray]:
    low = np.linspace(0, 1, n)
    return low, low + 20


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_what_lies_far_apart_is_better_or_worse_by_the_goal(n: int) -> None:
    """Groups 20 spreads apart are settled from three values on; which one is better is a matter of the goal."""
    low, high = apart(n)
    assert judge(compare(low, high), "min").word == judge(compare(high, low), "max").word == BETTER
    assert judge(compare(low, high), "max").word == judge(compare(high, low), "min").word == WORSE


def test_inside_the_noise_says_how_many_more_seeds() -> None:
    """A difference that no test sees is told with the seeds that would settle it; more comparisons need more of them."""
    a, b = np.array([1.0, 2, 3, 4]), np.array([1.5, 2.5, 3.5, 5])
    found = judge(compare(a, b), "max")
    assert (found.word, found.text) == (
        NOISE, f"inside the noise; about {found.more_seeds} more seeds would settle a difference of this size",
    )  # fmt: skip
    more = judge(compare(a, b, comparisons=10), "max", 1.0, comparisons=10)
    assert found.more_seeds is not None and more.more_seeds is not None and more.more_seeds > found.more_seeds > 0
    same = judge(compare(a, a[::-1]), "max")
    assert (same.word, same.more_seeds) == (NOISE, None)


def test_what_cannot_be_settled_says_why() -> None:
    """The words name the n at hand, and that values do not vary where that is the trouble."""
    assert judge(Difference(2, 5, False, 1.0, unsettled="too few values"), "min").text == (
        "cannot be settled with n = 2 here"
    )
    flat = judge(compare(np.ones(5), np.zeros(5)), "min")
    assert (flat.word, flat.p) == (UNSETTLED, None)
    assert "do not vary with the seed" in flat.text


def test_values_of_one_seed_are_paired() -> None:
    """Three or more matching seeds that are at least half of the smaller group make pairs, in whatever order they stand."""
    a = Sample(np.array([1.0, 2, 3, 4]), (1, 2, 3, 4))
    b = Sample(np.array([30.0, 20, 10, 99]), (3, 2, 1, 9))
    found = match(a, b)
    assert found is not None and [one.tolist() for one in found] == [[1, 2, 3], [10, 20, 30]]
    few = Sample(np.arange(3.0), (1, 2, 9))
    assert match(a, few) is None
    long = Sample(np.arange(8.0), tuple(range(8)))
    assert match(long, Sample(np.arange(8.0), tuple(range(5, 13)))) is None
    twice = Sample(np.arange(4.0), (1, 2, 3, 3))
    assert match(a, twice) is None and match(twice, a) is None
    assert match(a, Sample(np.arange(4.0))) is None


def test_few_groups_are_compared_each_with_each() -> None:
    """Up to eight groups all pairs are compared, in the order of the groups, and corrected for so many."""
    rng = np.random.default_rng(2)
    found = compare_all([Sample(rng.normal(at, 0.1, 5)) for at in range(8)], "min")
    assert (len(found.pairs), found.comparisons, found.uncompared) == (28, 28, 0)
    assert all(pair.a < pair.b for pair in found.pairs)
    assert found.pairs[6].verdict.p == pytest.approx(
        min(1.0, 28 * (found.pairs[6].difference.p_cautious or 0)), rel=1.0
    )


def test_many_groups_are_compared_with_the_best_and_corrected_for_all_pairs() -> None:
    """Beyond eight groups the best that can be tested stands against the next fifty; the correction is for every pair."""
    rng = np.random.default_rng(2)
    samples = [Sample(np.array([-1.0])), *(Sample(rng.normal(at, 0.1, 5)) for at in range(70)), Sample(np.zeros(0))]
    found = compare_all(samples, "min")
    assert len(found.pairs) == AGAINST_BEST_MAX
    assert found.comparisons == 70 * 69 // 2
    assert found.uncompared == 20
    assert (found.pairs[0].a, found.pairs[0].b, found.pairs[0].verdict.word) == (0, 1, UNSETTLED)
    assert all(pair.a == 1 for pair in found.pairs[1:])
    assert found.pairs[-1].verdict.word == BETTER


def test_the_best_of_many_equal_groups_is_not_called_better() -> None:
    """Of 12 groups that do not differ the best is compared with the others: in 150 trials few have any verdict of better."""
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(150):
        samples = sorted((Sample(rng.standard_normal(5)) for _ in range(12)), key=lambda one: one.values.mean())
        hits += any(pair.verdict.word == BETTER for pair in compare_all(samples, "min").pairs)
    assert hits <= 0.06 * 150
