"""Find the exception that ended a script in what it printed last: for scripts that do not track themselves."""

from __future__ import annotations

import re

from runfolio.model.run_state import RunError

_HEADER = "Traceback (most recent call last):"
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LAST_LINE = re.compile(r"(?:[^\W\d]\w*\.)*([^\W\d]\w*)(?:: (.*))?")
_WITHOUT_HEADER = ("SyntaxError", "IndentationError", "TabError")


def last_error(tail: bytes) -> RunError | None:
    """Read the last traceback of Python's in the end of an output; None where there is none."""
    lines = _COLOUR.sub("", tail.decode("utf-8", "backslashreplace")).replace("\r\n", "\n").split("\n")
    headers = [at for at, line in enumerate(lines) if line == _HEADER]
    return _error_behind(lines, headers[-1]) if headers else _syntax_error(lines)


def last_line_of(tail: bytes) -> str | None:
    """Give the last line that is not empty; None where there is none."""
    lines = _COLOUR.sub("", tail.decode("utf-8", "backslashreplace")).replace("\r", "\n").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), None)


def _error_behind(lines: list[str], header: int) -> RunError | None:
    """Read the traceback whose header stands in this line: indented lines, then the exception."""
    for at in range(header + 1, len(lines)):
        if not lines[at].startswith(" "):
            return _error(lines[at], "\n".join(lines[header : at + 1]))
    return None


def _syntax_error(lines: list[str]) -> RunError | None:
    said = [line for line in lines if line.strip()]
    error = _error(said[-1], "\n".join(said[-4:])) if said else None
    return error if error is not None and error.kind in _WITHOUT_HEADER else None


def _error(line: str, text: str) -> RunError | None:
    found = _LAST_LINE.fullmatch(line)
    return RunError(found[1], found[2] or "", text) if found else None
