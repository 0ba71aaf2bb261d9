"""Choose, among families of columns, those that fit beside the fixed ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runfolio.cli.render.table import GAP, Column

Build = Callable[[str], Column]


def fit_families(
    fixed: Sequence[Column], families: Sequence[tuple[Sequence[str], Build]], room: int
) -> list[list[Column]]:
    """Take columns from each family in turn, in its order, until its next one does not fit.

    Args:
        families: the names of each, and what makes the column of a name; one that does not fit is the last one made.
    """
    room -= sum(one.cells_wide + GAP for one in fixed) - GAP
    taken: list[list[Column]] = [[] for _ in families]
    going = list(range(len(families)))
    while going:
        for family in list(going):
            names, build = families[family]
            place = len(taken[family])
            one = build(names[place]) if place < len(names) else None
            if one is None or one.cells_wide + GAP > room:
                going.remove(family)
                continue
            room -= one.cells_wide + GAP
            taken[family].append(one)
    return taken
