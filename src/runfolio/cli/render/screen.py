"""Know what standard output is: how wide, in colour or not, in which characters. And write to it."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from runfolio.model import states
from runfolio.model.names import printable

PIPE_COLUMNS = 80
PIPE_COLUMNS_OF_TABLES = 250
"""Listings are read by grep as much as by eyes: wider, but not without end."""
_MARKS = {
    states.RUNNING: ("●", "36"),
    states.FINISHED: ("✓", "32"),
    states.FAILED: ("✗", "31"),
    states.KILLED: ("■", "33"),
    states.LOST: ("◌", "35"),
    states.STAGED: ("○", "34"),
    states.CANCELLED: ("□", "90"),
}
_ASCII = str.maketrans({
    "●": "*", "✓": "+", "✗": "x", "■": "#", "◌": "?", "○": "o", "□": "-", "╭": "+", "╮": "+", "╰": "+", "╯": "+",
    "│": "|", "─": "-", "…": "~", "·": "-", "µ": "u", "×": "x", "→": "->",
})  # fmt: skip
BOLD, DIM, RED, YELLOW = "1", "2", "31", "33"


class Screen(NamedTuple):
    """Where text goes."""

    columns: int
    colours: bool
    terminal: bool

    def paint(self, text: str, style: str) -> str:
        """Colour text, where there are colours."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.colours and style and text else text


def screen(pipe_columns: int = PIPE_COLUMNS) -> Screen:
    """Look at standard output. $COLUMNS has the first word about the width, the terminal the next, then `pipe_columns`."""
    terminal = sys.stdout.isatty()
    return Screen(_columns(terminal, pipe_columns), _colours(terminal), terminal)


def _columns(terminal: bool, otherwise: int) -> int:
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return max(int(told), 20)
    try:
        found = os.get_terminal_size(sys.stdout.fileno()).columns if terminal else 0
    except (OSError, ValueError):
        found = 0
    return max(found, 20) if found else otherwise


def _colours(terminal: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


def status_mark(status: str) -> str:
    """Give the shape and the word of a status: the colour is never the only sign."""
    return f"{_MARKS.get(status, ('·', ''))[0]} {status}"


def status_style(status: str) -> str:
    """Give the colour of a status."""
    return _MARKS.get(status, ("", ""))[1]


def write(text: str, end: str = "\n") -> None:
    """Write text to standard output, in characters that it can carry."""
    if not _is_unicode(sys.stdout.encoding):
        text = text.translate(_ASCII)
    sys.stdout.write(text + end)


def write_data(text: str) -> None:
    """Write text that programs read: as it is, but safe where it meets a terminal."""
    if sys.stdout.isatty():
        text = "\n".join(printable(line.removesuffix("\r")) for line in text.split("\n"))
    write(text, end="")


def write_lines(lines: list[str]) -> None:
    """Write lines, if there are any."""
    if lines:
        write("\n".join(lines))


def _is_unicode(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "").replace("_", "").startswith("utf")
