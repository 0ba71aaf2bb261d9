"""Read JSON as other programs leave it: with bare NaN, or cut off in the middle by the death of its writer."""

from __future__ import annotations

import json
from typing import Any

_SPACE = " \t\n\r"


def read_json(content: bytes) -> tuple[Any, str | None]:
    """Read a JSON text, or what of it is whole.

    Returns:
        What was read, None where nothing can be; and what is wrong with it, None where nothing is.
    """
    try:
        text, trouble = content.decode("utf-8-sig"), None
    except UnicodeDecodeError as bad:
        text, trouble = content.decode("utf-8-sig", "replace"), f"no UTF-8 at byte {bad.start}"
    if not text.strip():
        return None, "empty"
    try:
        return json.loads(text), trouble
    except ValueError as bad:
        where = f"at character {bad.pos:,} of {len(text):,}" if isinstance(bad, json.JSONDecodeError) else f"({bad})"
    except RecursionError:
        return None, "nested too deep"
    try:
        return _begun(text, _skip(text, 0))[0], f"torn {where}; what is whole before it is taken"
    except RecursionError:
        return None, "nested too deep"


def _begun(text: str, at: int) -> tuple[Any, int, bool]:
    """Read the value at a place as far as it goes: the value, where it ends, whether it is whole."""
    try:
        value, end = json.JSONDecoder().raw_decode(text, at)
        # A number at the very end may have lost digits.
        return value, end, end < len(text) or text[end - 1 : end] in ('"', "}", "]")
    except ValueError:
        pass
    if text[at : at + 1] == "[":
        return _begun_list(text, at)
    if text[at : at + 1] == "{":
        return _begun_object(text, at)
    return None, at, False


def _begun_list(text: str, at: int) -> tuple[list[Any], int, bool]:
    items: list[Any] = []
    while True:
        value, at, whole = _begun(text, _skip(text, at + 1))
        if not whole:
            return items, at, False  # a list is of records: half of one is none
        items.append(value)
        at = _skip(text, at)
        if text[at : at + 1] != ",":
            return items, at, False


def _begun_object(text: str, at: int) -> tuple[dict[str, Any], int, bool]:
    items: dict[str, Any] = {}
    while True:
        key, at, whole = _begun(text, _skip(text, at + 1))
        at = _skip(text, at)
        if not whole or not isinstance(key, str) or text[at : at + 1] != ":":
            return items, at, False
        value, at, whole = _begun(text, _skip(text, at + 1))
        if whole or isinstance(value, (dict, list)):
            items[key] = value
        at = _skip(text, at)
        if not whole or text[at : at + 1] != ",":
            return items, at, False


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
