"""What SQL may ask of the packed columns of the index: a param, a number of a metric, a tag, a summary value; and whether text fits a pattern.

Each takes what stands in the row and gives a number, text or NULL: NULL for what is missing, NaN, or of another type than was asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from json import JSONDecoder
from struct import Struct
from typing import Any

from runfolio.store.run_row import from_json, to_json
from runfolio.store.summary import COUNT, FIRST, LAST, MAX, MIN, NAN_COUNT, PACKED_SIZE, TOTAL, Packed, Raw

NUMBERS = ("last", "first", "min", "max", "mean", "best", "count", "nan_count")
"""What the summary of a metric tells."""
PATTERN_MAX = 1_000
_LAYOUTS_MAX = 1_000
_scan: Callable[[str, int], tuple[Any, int]] = vars(JSONDecoder())["scan_once"]
_DOUBLE = Struct("<d")
_AT = {"last": LAST, "first": FIRST, "min": MIN, "max": MAX}


def register(db: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    columns = Decoded()
    for name, arguments, function in (
        ("param", 3, columns.param),
        ("holds", 3, columns.holds),
        ("told", 4, columns.told),
        ("tagged", 2, columns.tagged),
        ("fact", 2, columns.fact),
        ("metric", 4, columns.metric),
        ("fits", 2, fits),
        ("modulo", 2, modulo),
    ):
        db.create_function(name, arguments, function, deterministic=True)


class Decoded:
    """Decodes a row's columns once for all that a question asks of them."""

    def __init__(self) -> None:
        self._texts: dict[str, tuple[str, Any]] = {}
        self._places: dict[bytes, dict[str, list[int]]] = {}
        self._needles: dict[str, str] = {}

    def _json(self, slot: str, text: str) -> Any:
        known = self._texts.get(slot)
        if known is None or known[0] != text:
            known = self._texts[slot] = (text, from_json(text))
        return known[1]

    def param(self, params: str, key: str, type_: str) -> Any:
        """Give a param by its dotted key: in JSON of one level by looking for the key, else by decoding it all."""
        if params.count("{") != 1:
            return typed(self._json("params", params).get(key), type_)
        needle = self._needles.get(key) or self._needles.setdefault(key, f"{to_json(key)}:")
        at = params.find(needle)
        while at > 0 and params[at - 1] not in "{,":  # inside of text a quote has a backslash before it
            at = params.find(needle, at + 1)
        return None if at < 0 else typed(_scan(params, at + len(needle))[0], type_)

    def holds(self, params: str, key: str, item: Any) -> int:
        """Say whether a param is a list with this item in it."""
        found = self._json("params", params).get(key)
        return int(isinstance(found, list) and any(one == item and _is_text(one) == _is_text(item) for one in found))

    def told(self, more: str, field: str, key: str, type_: str) -> Any:
        """Give a value of the summary, or of a tag, by its key."""
        return typed(self._json("more", more)[field].get(key), type_)

    def tagged(self, more: str, key: str) -> int:
        """Say whether the run has a tag: a key, or `key=value`."""
        tags = self._json("more", more)["tags"]
        name, _, value = key.partition("=")
        return int(key in tags or (value != "" and tags.get(name) == value))

    def fact(self, more: str, key: str) -> Any:
        """Give one of the plain facts; of what was lost the points."""
        found = self._json("more", more)
        return found["lost"][0] if key == "lost_points" else found[key]

    def metric(self, summaries: bytes, more: str, name: str, which: str) -> float | None:
        """Give a number of a metric; where several ranks have it, the mean over them."""
        end = 4 + int.from_bytes(summaries[:4], "little")
        names = summaries[4:end]
        places = self._places.get(names)
        if places is None:
            places = self._remember(names)
        found = places.get(name)
        if found is None:
            return None
        if which == "best":
            which = self._json("more", more)["goals"].get(name, "")
        at = _AT.get(which)
        if at is not None and len(found) == 1:  # the common case, without unpacking the rest
            (value,) = _DOUBLE.unpack_from(summaries, end + found[0] * PACKED_SIZE + 8 * at)
            return value if value == value else None
        packed = Packed(summaries)
        values = [_number(packed.at(place), which) for place in found]
        known = [value for value in values if value is not None and value == value]
        return sum(known) / len(known) if known else None

    def _remember(self, names: bytes) -> dict[str, list[int]]:
        """Find the places of each name once for all runs that have logged the same metrics."""
        if len(self._places) >= _LAYOUTS_MAX:
            self._places.clear()
        places: dict[str, list[int]] = {}
        for place, name in enumerate(names.decode().split("\0") if names else ()):
            places.setdefault(name, []).append(place)
        self._places[names] = places
        return places


def _number(raw: Raw, which: str) -> float | None:
    if which in _AT:
        return float(raw[_AT[which]])
    count = raw[COUNT]
    if which == "mean":
        return float(raw[TOTAL] / count) if count else None
    if which == "count":
        return float(count)
    return float(raw[NAN_COUNT]) if which == "nan_count" else None


def typed(value: Any, type_: str) -> Any:
    """Give a value to SQL, where it is of the type asked for: "n" a number, "t" text, "" either."""
    if value is None or value != value:
        return None
    if isinstance(value, str):
        return None if type_ == "n" else value
    if isinstance(value, bool | int | float):
        return None if type_ == "t" else _small(value)
    return None if type_ == "n" else repr(value)  # a list


def _small(value: float | int) -> float | int:
    return value if isinstance(value, float) or -(2**63) <= value < 2**63 else float(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def modulo(left: Any, right: Any) -> float | None:
    """Give the remainder as Python does; NULL for what has none."""
    return None if left is None or not right else float(left % right)


def fits(text: Any, pattern: Any) -> int:
    """Say whether text fits a pattern with `*` and `?`, in time that its lengths bound: no backtracking but to the last star."""
    if not isinstance(text, str) or not isinstance(pattern, str) or len(pattern) > PATTERN_MAX:
        return 0
    at = place = 0
    star, mark = -1, 0
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, mark = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", text[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return 0
    return int(not pattern[place:].strip("*"))
