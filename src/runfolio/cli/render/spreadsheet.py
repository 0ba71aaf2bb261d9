"""Write tables as CSV. Source: RFC 4180."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runfolio.cli.render.values import param

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(titles: list[str], rows: Iterable[list[Any]], spreadsheet: bool = False) -> str:
    """Write a header and rows. Numbers are exact, None is empty, lists are JSON.

    Args:
        spreadsheet: put `'` before text that a spreadsheet would take for a formula.
    """
    lines = [titles, *rows]
    return "".join(",".join(_field(value, spreadsheet) for value in line) + "\r\n" for line in lines)


def _field(value: Any, spreadsheet: bool) -> str:
    if value is None:
        return ""
    text = param(value)
    if spreadsheet and isinstance(value, str) and text.startswith(_FORMULA):
        text = f"'{text}"
    if any(char in text for char in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
