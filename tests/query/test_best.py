"""Which of several values is the best."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import UsageError
from runfolio.query.best import best_of

NAN, INF = float("nan"), float("inf")
VALUES = st.lists(st.floats() | st.integers(-3, 3))


def test_the_lowest_or_the_highest_wins() -> None:
    """The mode says which end is the better one, infinities included."""
    losses = [("a", 0.3), ("b", 0.1), ("c", 0.2)]
    assert best_of(losses, "min") == ("b", 0.1)
    assert best_of(losses, "max") == ("a", 0.3)
    assert best_of([("a", 1.0), ("b", -INF)], "min") == ("b", -INF)


def test_nan_never_wins() -> None:
    """A NaN is passed over wherever it stands, and alone it gives nothing."""
    assert best_of([("a", NAN), ("b", 0.5), ("c", NAN)], "max") == ("b", 0.5)
    assert best_of([("a", NAN)], "min") is None
    assert best_of([], "min") is None


def test_the_first_of_equals_wins() -> None:
    """Where two values are equal, the one that stands first is chosen, whatever its type."""
    assert best_of([("a", 1), ("b", 1.0), ("c", True)], "max") == ("a", 1)


def test_no_other_mode() -> None:
    """A mode that is neither is refused with its name, also where there is nothing to choose from."""
    with pytest.raises(UsageError, match="'lowest'"):
        best_of([], "lowest")


@given(VALUES)
def test_agrees_with_the_built_in(values: list[float]) -> None:
    """Over the values that are numbers the choice is that of min and max."""
    numbers = [value for value in values if value == value]
    for mode, choose in (("min", min), ("max", max)):
        found = best_of(list(enumerate(values)), mode)
        expected = choose(numbers, default=None)
        assert (found[1] if found else None) == expected
        assert found is None or values.index(expected) == found[0]
