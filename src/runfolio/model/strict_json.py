"""JSON that any strict parser reads, and that bends no number.

In journals (`dumps`, `loads`) a float that JSON cannot carry is `{"$float": "NaN"}`, `"Infinity"` or `"-Infinity"`, and
an object key that begins with `$` gets one more `$`. In views (`view`, `unview`, `dumps_view`), which people and jq
read, it is the plain text "NaN", and a list of paths tells it from text.

Ints have up to 4,300 digits, as in CPython's own parser. A surrogate without its other half, as file names have them,
is written as its escape `\\udc80`, as JavaScript does it; text is UTF-8 besides.
Source: RFC 8259; ECMA-262 (2019) 25.5.2 for lone surrogates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from runfolio.errors import InvalidValue, Unreadable
from runfolio.model.names import shown

DEPTH_MAX = 64
VIEW_DEPTH_MAX = 256
INT_END = 10**4300  # the first int that CPython does not read from text unless told to

_INF = float("inf")
_NAMES = {"NaN": float("nan"), "Infinity": _INF, "-Infinity": -_INF}
_SURROGATE = "[\ud800-\udfff]"
_SIMPLE = (str, int, type(None))  # an int is a bool too


# ----------------------------------------------------------------------------------------------------------- journals


def dumps(value: object) -> bytes:
    """Write `value` as compact UTF-8 JSON; `loads` gives an equal value back.

    Raises:
        InvalidValue: something that JSON has no form for, or more than 64 levels.
    """
    return _text(_encoded(value, 0), None).encode()


def loads(data: bytes | bytearray | memoryview | str) -> Any:
    """Read what `dumps` wrote.

    Raises:
        Unreadable: it is no strict JSON: bare NaN, a float beyond float64, a key twice, more than 64 levels, no UTF-8.
    """
    try:
        text = data if isinstance(data, str) else str(data, "utf-8")
        found = DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no strict JSON: {shown(error, 120)}") from error
    return _decoded(found, 0)


def _encoded(value: Any, depth: int) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else {"$float": _name(value)}
    if isinstance(value, _SIMPLE):
        return _checked(value)
    if depth >= DEPTH_MAX:
        raise InvalidValue(f"more than {DEPTH_MAX} levels of lists and objects; flatten it")
    if isinstance(value, dict):
        return {_stuffed(key): _encoded(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item, depth + 1) for item in value]
    raise _refusal(value)


def _stuffed(key: object) -> str:
    name = _text_key(key)
    return f"${name}" if name.startswith("$") else name


def _decoded(value: Any, depth: int) -> Any:
    if not isinstance(value, (dict, list)):
        return value
    if isinstance(value, dict) and len(value) == 1 and "$float" in value:
        return _named(value["$float"])
    if depth >= DEPTH_MAX:
        raise Unreadable(f"no strict JSON: more than {DEPTH_MAX} levels")
    if isinstance(value, list):
        return [_decoded(item, depth + 1) for item in value]
    # A key with one $ only is a form of a later version: it is kept as it stands.
    return {key[1:] if key.startswith("$$") else key: _decoded(item, depth + 1) for key, item in value.items()}


def _named(name: object) -> float:
    if isinstance(name, str) and name in _NAMES:
        return _NAMES[name]
    raise Unreadable(f"no strict JSON: $float of {shown(name)}")


def _name(value: float) -> str:
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


# -------------------------------------------------------------------------------------------------------------- views


def view(value: object) -> tuple[Any, list[str]]:
    """Make `value` ready for strict JSON: NaN and the infinities become text, and the paths where they stood are told.

    A path is the keys and positions from the outside in, joined by dots: `metrics.loss.last`, `values.0`. A dot or
    backslash inside a key has a backslash before it, an empty key is `\\e`, the path of the value itself is empty.
    """
    paths: list[str] = []
    return _viewed(value, [], paths), paths


def unview(json_ready: Any, paths: Iterable[str]) -> Any:
    """Undo `view`: put the floats back where `paths` says they were; text "NaN" elsewhere stays text."""
    return _unviewed(json_ready, [], frozenset(paths))


def dumps_view(value: object, indent: int | None = None) -> str:
    """Write what `view` made ready as JSON text; a float that JSON cannot carry raises `InvalidValue`."""
    return _text(value, indent)


def _viewed(value: Any, at: list[str], paths: list[str]) -> Any:
    if isinstance(value, float):
        if value - value == 0:
            return value
        paths.append(".".join(at))
        return _name(value)
    if isinstance(value, _SIMPLE):
        return _checked(value)
    if len(at) >= VIEW_DEPTH_MAX:
        raise InvalidValue(f"more than {VIEW_DEPTH_MAX} levels of lists and objects; flatten it")
    if isinstance(value, dict):
        return {_text_key(key): _viewed(item, [*at, _part(key)], paths) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_viewed(item, [*at, str(index)], paths) for index, item in enumerate(value)]
    raise _refusal(value)


def _unviewed(value: Any, at: list[str], paths: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {key: _unviewed(item, [*at, _part(key)], paths) for key, item in value.items()}
    if isinstance(value, list):
        return [_unviewed(item, [*at, str(index)], paths) for index, item in enumerate(value)]
    return _NAMES.get(value, value) if isinstance(value, str) and ".".join(at) in paths else value


def _text_key(key: object) -> str:
    if not isinstance(key, str):
        raise InvalidValue(f"the key {shown(key)} is a {type(key).__name__}; JSON has text only", shown(key))
    return key


def _part(key: str) -> str:
    return key.replace("\\", "\\\\").replace(".", "\\.") or "\\e"


# --------------------------------------------------------------------------------------------------------------- both


def _text(value: Any, indent: int | None) -> str:
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=separators, indent=indent)
    except (ValueError, TypeError, RecursionError) as error:  # also an int beyond what this interpreter will print
        raise InvalidValue(f"not ready for JSON: {shown(error, 120)}") from error
    return text if text.isascii() else re.sub(_SURROGATE, lambda found: f"\\u{ord(found[0]):04x}", text)


def _checked(value: Any) -> Any:
    if isinstance(value, int) and not -INT_END < value < INT_END:
        raise InvalidValue("an int of more than 4,300 digits; JSON readers refuse those")
    return value


def _refusal(value: object) -> InvalidValue:
    return InvalidValue(f"JSON has no form for a {type(value).__name__}")


def _constant(name: str) -> float:
    raise ValueError(f"bare {name}")


def _float(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError(f"{text[:40]} is beyond the largest float")
    return number


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_float, object_pairs_hook=_pairs)
"""Reads strict JSON as it stands: ValueError for bare NaN, a float beyond the largest, a key that stands twice."""
