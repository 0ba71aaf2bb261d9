"""Params typed on a command line: which text is a number, a bool, a list, and which is text."""

from __future__ import annotations

import re

from runfolio.errors import InvalidValue
from runfolio.model.leaf import VALUE_DEPTH_MAX, Value
from runfolio.model.names import shown

# Compiled by re when first used: every script imports this file, few come here.
_INT = r"[+-]?(?:0|[1-9][0-9]*)"
_FLOAT = r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?"
_UNBOUNDED = r"[+-]?(?:inf|infinity)|nan"
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None, "none": None}
_QUOTES = "\"'"


def parse_text(text: str) -> Value:
    """Turn the text of `-p key=text` into a value. Space around it does not count for these rules, tried in this order:

    1. `5`, `-3`, `+7`: an int. `007` and `1_000` are not: they are text.
    2. `0.1`, `.5`, `2.`, `1e-3`: a float; `inf`, `-inf`, `infinity`, `nan` in any case: the float of that name.
    3. `true`, `false`: a bool; `null`, `none`: None; in any case.
    4. `[a, b]`: a list, each item by these rules, lists in lists too. `[]` is empty. Quotes and inner brackets keep
       their commas. What is not well formed (`[a, , b]`, `[a][b]`) is text.
    5. `"…"` or `'…'`: the text inside as it is, without escapes, where that has no such quote itself.
    6. Everything else: the whole text as it came, with its spaces.

    Raises:
        InvalidValue: a number without a float64 or of more than 4,300 digits, or lists more than 60 deep.
    """
    found = _parse(text.strip(), 0)
    return text if found is _TEXT else found  # type: ignore[return-value]


_TEXT = object()


def _parse(text: str, depth: int) -> object:
    if re.fullmatch(_INT, text):
        return _int(text)
    if re.fullmatch(_FLOAT, text):
        return _float(text)
    if re.fullmatch(_UNBOUNDED, text, re.IGNORECASE):
        return float(text)
    if (word := text.lower()) in _WORDS:
        return _WORDS[word]
    if text.startswith("[") and text.endswith("]") and len(text) > 1:
        return _list(text[1:-1], depth + 1)
    if len(text) > 1 and text[0] in _QUOTES and text.find(text[0], 1) == len(text) - 1:
        return text[1:-1]
    return _TEXT


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidValue(f"{shown(text)} has too many digits for a param; quote it to keep it as text") from None


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise InvalidValue(f"{shown(text)} is beyond the largest float; quote it to keep it as text, or say inf")
    return number


def _list(inside: str, depth: int) -> object:
    if depth > VALUE_DEPTH_MAX:
        raise InvalidValue(f"a list of more than {VALUE_DEPTH_MAX} levels; quote it to keep it as text")
    if not inside.strip():
        return []
    items = _split(inside)
    if items is None or not all(items):
        return _TEXT
    values = []
    for item in items:
        found = _parse(item, depth)
        values.append(item if found is _TEXT else found)
    return values


def _split(text: str) -> list[str] | None:
    """Cut at the commas outside quotes and brackets; None where those do not close."""
    items, start, level, quote = [], 0, 0, ""
    fresh = True  # at the start of an item, where a quote opens; that of don't does not
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
            continue
        if fresh and char in _QUOTES:
            quote = char
        elif char == "[":
            level += 1
        elif char == "]":
            level -= 1
            if level < 0:
                return None
        elif char == "," and level == 0:
            items.append(text[start:at].strip())
            start = at + 1
        fresh = char in "[," or (fresh and char.isspace())
    items.append(text[start:].strip())
    return None if level or quote else items
