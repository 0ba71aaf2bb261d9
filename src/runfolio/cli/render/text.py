"""Measure, shorten and pad text by the cells that a terminal gives it."""

from __future__ import annotations

from runfolio.model.names import printable

MARK = "..."


def width(text: str) -> int:
    """Count the cells of text that `printable` made: wide characters take two, joiners and combining marks none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    from unicodedata import category, east_asian_width  # 1 MB, and only needed where a name is not ASCII

    if char.isascii():
        return 1
    if category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def shorten(text: str, limit: int) -> str:
    """Make any text safe for a terminal and at most `limit` cells wide; what was cut ends in `...`."""
    head = text[: limit + 1]  # escapes only make it longer, so the rest would be cut anyway
    shown = printable(head)
    if len(head) == len(text) and width(shown) <= limit:
        return shown
    mark = MARK[:limit]
    return _take(shown, limit - len(mark)) + mark


def _take(text: str, room: int) -> str:
    taken = []
    for char in text:
        room -= _cells(char)
        if room < 0:
            break
        taken.append(char)
    return "".join(taken)


def pad(text: str, cells: int, right: bool = False) -> str:
    """Fill text with spaces up to a number of cells; `right` puts them before it."""
    blank = " " * (cells - width(text))
    return blank + text if right else text + blank


def wrap(words: list[str], room: int, indent: str = "") -> list[str]:
    """Set words into lines of at most `room` cells, where they fit."""
    lines = [indent]
    for word in words:
        if lines[-1] != indent and width(lines[-1]) + 1 + width(word) > room:
            lines.append(indent)
        lines[-1] += word if lines[-1] == indent else f" {word}"
    return lines
