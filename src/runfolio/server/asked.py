"""What a request asks for, read strictly: unknown parameters, a value twice, odd numbers and odd bytes are refused.

A route declares its parameters as a struct of `Asked`, and its body as any struct with `forbid_unknown_fields`. A field of a tuple takes a parameter
that is repeated; every other may stand once. `Meta` holds the bounds. openapi.py reads the same structs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from runfolio.model.names import printable
from runfolio.model.strict_json import DECODER
from runfolio.server import limits
from runfolio.server.errors import nonsense


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a route; this one: none."""


Text = Annotated[str, Meta(max_length=limits.TEXT_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=limits.TEXT_MAX)]
RunIds = Annotated[
    str,
    Meta(
        pattern=rf"^[0-9a-f]{{8,32}}(,[0-9a-f]{{8,32}}){{0,{limits.RUNS_MAX - 1}}}$",
        max_length=33 * limits.RUNS_MAX,
        description="ids of runs, 8 digits or more of each, with commas between them",
    ),
]
RunRef = Annotated[str, Meta(pattern=r"^[0-9a-f]{8,32}$", description="the id of a run, or 8 digits or more of it")]


class Chosen(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters that choose runs; see `runfolio.server.served.chosen`."""

    runs: RunIds | None = None
    q: Text | None = None
    archived: bool = False
    deleted: bool = False


A = TypeVar("A", bound=Asked)
B = TypeVar("B")


def query_of(raw: bytes, kind: type[A]) -> A:
    """Read the query of a request.

    Raises:
        Refused: 400.
    """
    several = _several(kind)
    found: dict[str, Any] = {}
    for name, value in _pairs(raw):
        if name not in kind.__struct_fields__:
            raise nonsense(f"no parameter {_cut(name)}; there are {', '.join(kind.__struct_fields__) or 'none'}")
        if name in several:
            found.setdefault(name, []).append(value)
        elif name in found:
            raise nonsense(f"the parameter {name} stands twice")
        else:
            found[name] = value
    asked = _convert(found, kind, strict=False)
    for name, value in found.items():
        if value != [] and getattr(asked, name) is None:  # msgspec takes the text "null" for None
            raise nonsense(f"the parameter {name} cannot be {_cut(str(value))}")
    return asked


def plain_query(raw: bytes) -> dict[str, str]:
    """Read the query of a page, whose own script knows what it means; of a parameter the first value."""
    found: dict[str, str] = {}
    for name, value in _pairs(raw):
        found.setdefault(name, value)
    return found


def _pairs(raw: bytes) -> Iterable[tuple[str, str]]:
    if not raw:
        return
    parts = raw.split(b"&")
    if len(parts) > limits.PARAMETERS_MAX:
        raise nonsense(f"more than {limits.PARAMETERS_MAX} parameters")
    for part in parts:
        name, _, value = part.partition(b"=")
        yield decoded(name.replace(b"+", b" ")), decoded(value.replace(b"+", b" "))


_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})?")


def decoded(raw: bytes) -> str:
    """Undo percent escapes, once.

    Raises:
        Refused: a torn escape, no UTF-8, or a NUL.
    """

    def byte(found: re.Match[bytes]) -> bytes:
        if found[1] is None:
            raise nonsense("an escape in the address is torn: % stands before two hex digits")
        return bytes([int(found[1], 16)])

    try:
        text = (_ESCAPE.sub(byte, raw) if b"%" in raw else raw).decode()
    except UnicodeDecodeError:
        raise nonsense("the address is no UTF-8") from None
    if "\0" in text:
        raise nonsense("the address holds a NUL character")
    return text


def _several(kind: type[Asked]) -> frozenset[str]:
    """Give the names of the fields that take a parameter more than once."""
    if kind not in _SEVERAL:
        hints = get_type_hints(kind)
        _SEVERAL[kind] = frozenset(name for name in kind.__struct_fields__ if get_origin(hints[name]) is tuple)
    return _SEVERAL[kind]


_SEVERAL: dict[type[Asked], frozenset[str]] = {}


def body_of(raw: bytes, kind: type[B]) -> B:
    """Read the body of a request.

    Raises:
        Refused: 400.
    """
    try:
        value = DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise nonsense(f"the body is no strict JSON: {_cut(str(error))}") from None
    _check(value, 0)
    return _convert(value, kind, strict=True)


def _convert(value: Any, kind: type[B], strict: bool) -> B:
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise nonsense(str(error).replace("`$.", "`")) from None


def _check(value: Any, depth: int) -> None:
    """Refuse half surrogate pairs, NUL and too many levels."""
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise nonsense("the body holds half a surrogate pair, which no text can have")
        return
    if not isinstance(value, dict | list):
        return
    if depth >= limits.DEPTH_MAX:
        raise nonsense(f"the body has more than {limits.DEPTH_MAX} levels")
    if isinstance(value, dict):
        for key in value:
            _check(key, depth)
    for item in value.values() if isinstance(value, dict) else value:
        _check(item, depth + 1)


def _cut(text: str) -> str:
    """Show what came in, in a few characters of one line."""
    return printable(text, 80)
