"""How lines are told apart: by colour and by stroke at once, so that neither print nor eyes are in the way.

Source: the colours are those of Okabe and Ito, Color Universal Design (2008), in an order that begins with the ones
that stand out on white; their yellow, which does not, is left out.
"""

from __future__ import annotations

from typing import Any

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
STROKES: tuple[Any, ...] = ("solid", (0, (6, 2)), (0, (6, 2, 1.5, 2)), (0, (2, 1.4)))
"""matplotlib's: lengths of dashes and gaps, in widths of the line."""

GREY = "#5a5a5a"


def colour(place: int) -> str:
    """Give the colour of a curve."""
    return COLOURS[place % len(COLOURS)]


def stroke(place: int) -> Any:
    """Give the line style of a curve: four, against seven colours, so that 28 curves differ."""
    return STROKES[place % len(STROKES)]
