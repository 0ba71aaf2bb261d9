"""A picture of dots in characters: eight to a cell by braille, one where there is no Unicode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pieces = list[tuple[str, int]]
"""The text of a row, each stretch with its owner."""

NOBODY = -1
_BRAILLE = 0x2800
_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)
_LONGEST = 4096  # dots of one piece of a line; a canvas has fewer


class Canvas:
    """Cells to draw into. Positions run from 0 to 1, from left to right and from the bottom up; NaN is a gap."""

    def __init__(self, columns: int, rows: int, unicode: bool) -> None:
        self.columns, self.rows, self.unicode = columns, rows, unicode
        self._across, self._down = (2, 4) if unicode else (1, 1)
        self._bits = np.zeros((rows, columns), np.uint8)
        self._owners = np.full((rows, columns), NOBODY)
        self._signs: dict[tuple[int, int], tuple[str, int]] = {}

    def line(self, x: Floats, y: Floats, owner: int) -> None:
        """Draw lines between neighbours, and a dot where a point has none."""
        across, down = self._dots(x, y)
        there = np.isfinite(across) & np.isfinite(down)
        self._put(across[there], down[there], owner)
        joined = np.flatnonzero(there[1:] & there[:-1])
        steps = np.maximum(np.abs(across[joined + 1] - across[joined]), np.abs(down[joined + 1] - down[joined]))
        counts = np.minimum(np.ceil(steps), _LONGEST).astype(np.int64) + 1
        at = np.repeat(joined, counts)
        part = (np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)) / np.repeat(counts, counts)
        self._put(across[at] + part * (across[at + 1] - across[at]), down[at] + part * (down[at + 1] - down[at]), owner)

    def dots(self, x: Floats, y: Floats, owner: int) -> None:
        """Draw a dot at each point."""
        across, down = self._dots(x, y)
        there = np.isfinite(across) & np.isfinite(down)
        self._put(across[there], down[there], owner)

    def sign(self, row: int, column: int, text: str, owner: int) -> bool:
        """Put a character into a cell; say whether it was free for it."""
        if not (0 <= row < self.rows and 0 <= column < self.columns) or (row, column) in self._signs:
            return False
        self._signs[row, column] = (text, owner)
        return True

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Give the row and column of a position."""
        across, down = self._dots(np.array([x]), np.array([y]))
        return int(np.rint(down[0])) // self._down, int(np.rint(across[0])) // self._across

    def text(self, char_of: Callable[[int], str]) -> list[Pieces]:
        """Give the rows. Without Unicode a dot is the character of its owner."""
        cells: list[Pieces] = []
        for row in range(self.rows):
            pieces: Pieces = []
            for column in range(self.columns):
                char, owner = self._signs.get((row, column)) or self._cell(row, column, char_of)
                if pieces and pieces[-1][1] == owner:
                    pieces[-1] = (pieces[-1][0] + char, owner)
                else:
                    pieces.append((char, owner))
            cells.append(pieces)
        return cells

    def _cell(self, row: int, column: int, char_of: Callable[[int], str]) -> tuple[str, int]:
        bits, owner = int(self._bits[row, column]), int(self._owners[row, column])
        if not bits:
            return " ", NOBODY
        return chr(_BRAILLE + bits) if self.unicode else char_of(owner), owner

    def _dots(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Give positions in dots, counted from the left and from above."""
        return x * (self.columns * self._across - 1), (1 - y) * (self.rows * self._down - 1)

    def _put(self, across: Floats, down: Floats, owner: int) -> None:
        inside = (across >= 0) & (across <= self.columns * self._across - 1)
        inside &= (down >= 0) & (down <= self.rows * self._down - 1)
        column, row = np.rint(across[inside]).astype(np.int64), np.rint(down[inside]).astype(np.int64)
        cells = row // self._down, column // self._across
        bits = _BITS[row % self._down, column % self._across] if self.unicode else np.uint8(1)
        np.bitwise_or.at(self._bits, cells, bits)
        self._owners[cells] = owner
