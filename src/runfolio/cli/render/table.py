"""Set columns into lines: a plain table, or one in a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from runfolio.cli.render.screen import BOLD, Screen
from runfolio.cli.render.text import pad, shorten, width

GAP = 2
WHOLE = 1_000_000
"""As the limit of a cell: its text is not cut."""
_BOX_GAP = 3
_BOX_MIN = 80


class Column(NamedTuple):
    """One column: cells that are safe for a terminal, as `shorten` makes them."""

    title: str
    cells: list[str]
    right: bool = False
    styles: list[str] | None = None  # of each cell

    @property
    def cells_wide(self) -> int:
        """The width that the column needs."""
        return max(width(self.title), max(map(width, self.cells), default=0))


def column(
    title: str, texts: Sequence[str], *, limit: int = 40, right: bool = False, styles: list[str] | None = None
) -> Column:
    """Make a column of any text."""
    return Column(shorten(title, limit), [shorten(text, limit) for text in texts], right, styles)


def fitting(columns: Sequence[Column], room: int, gap: int = GAP) -> int:
    """Count how many of the columns, from the first on, fit side by side."""
    used = -gap
    for number, one in enumerate(columns):
        used += gap + one.cells_wide
        if used > room:
            return number
    return len(columns)


def plain_table(columns: Sequence[Column], screen: Screen) -> list[str]:
    """Set columns side by side under their titles."""
    return [line.rstrip() for line in (_titles(columns, screen, GAP), *_rows(columns, screen, GAP))]


def boxed_table(title: str, columns: Sequence[Column], screen: Screen) -> list[str]:
    """Set columns into a box with a title in its upper border."""
    rows = _rows(columns, screen, _BOX_GAP)
    content = sum(one.cells_wide for one in columns) + _BOX_GAP * (len(columns) - 1)
    title = shorten(title, max(screen.columns - 6, 1))
    inner = max(min(screen.columns, _BOX_MIN) - 2, content + 2 * _BOX_GAP, width(title) + 4)
    left = (inner - width(title) - 2) // 2
    top = f"╭{'─' * left} {screen.paint(title, BOLD)} {'─' * (inner - width(title) - 2 - left)}╮"
    bodies = [_titles(columns, screen, _BOX_GAP), *rows]
    spare = " " * (inner - _BOX_GAP - content)
    lines = [f"│{' ' * _BOX_GAP}{body}{spare}│" for body in bodies]
    rule = f"│  {'─' * (content + 2)}{' ' * (inner - content - 4)}│"
    return [top, lines[0], rule, *lines[1:], f"╰{'─' * inner}╯"]


def box_room(screen: Screen) -> int:
    """Tell how many cells of content a box on this screen has."""
    return screen.columns - 2 - 2 * _BOX_GAP


def box_fitting(columns: Sequence[Column], screen: Screen) -> int:
    """Count how many of the columns fit into a box."""
    return fitting(columns, box_room(screen), _BOX_GAP)


def _titles(columns: Sequence[Column], screen: Screen, gap: int) -> str:
    cells = [pad(one.title, one.cells_wide, one.right) for one in columns]
    return _joined(cells, [BOLD] * len(cells), screen, gap)


def _rows(columns: Sequence[Column], screen: Screen, gap: int) -> list[str]:
    wide = [one.cells_wide for one in columns]
    lines = []
    for row in range(len(columns[0].cells) if columns else 0):
        cells = [pad(one.cells[row], cells, one.right) for one, cells in zip(columns, wide, strict=True)]
        styles = [one.styles[row] if one.styles else "" for one in columns]
        lines.append(_joined(cells, styles, screen, gap))
    return lines


def _joined(cells: list[str], styles: list[str], screen: Screen, gap: int) -> str:
    return (" " * gap).join(screen.paint(cell, style) for cell, style in zip(cells, styles, strict=True))
