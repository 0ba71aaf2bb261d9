"""Write values bare, for the shell: text as it is, a line for each item, `key=value` for each entry."""

from __future__ import annotations

import re
import sys
from typing import IO, Any

from runfolio.cli.render.screen import write
from runfolio.cli.render.values import param
from runfolio.model.names import printable

_COLOURS = re.compile("(\x1b\\[[0-9;]{0,40}m|\r)")
_CHUNK = 1 << 16


def write_bare(value: Any) -> None:
    """Write one value. On a terminal nothing in it moves the cursor; in a pipe text comes as it was kept."""
    if isinstance(value, dict):
        lines = [f"{printable(str(key))}={printable(param(item))}" for key, item in value.items()]
    elif isinstance(value, list):
        lines = [printable(param(item)) for item in value]
    else:
        return _write_text("" if value is None else param(value))
    write("".join(f"{line}\n" for line in lines), end="")


def _write_text(text: str) -> None:
    if sys.stdout.isatty():
        text = "\n".join(printable(line.expandtabs()) for line in text.split("\n"))
    write(text, end="" if text.endswith("\n") else "\n")


def write_output(source: IO[bytes]) -> None:
    """Write a script's output as it came; on a terminal its colours and carriage returns, and no other control characters."""
    if not sys.stdout.isatty():
        while chunk := source.read(_CHUNK):
            sys.stdout.buffer.write(chunk)
        return
    for line in source:
        text = line.rstrip(b"\n").decode("utf-8", "backslashreplace")
        pieces = _COLOURS.split(text.expandtabs())
        write("".join(piece if number % 2 else printable(piece) for number, piece in enumerate(pieces)))
    write("\x1b[0m", end="")
