"""What a route gives back: bytes with a type, or a stream of them; and values as JSON that bends no number."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from runfolio.server.headers import NO_STORE, Policy

JSON = "application/json"
SAFE_INT = 2**53
_PACKABLE = (
    "application/json",
    "application/vnd.runfolio.frame",
    "application/vnd.apache.arrow.stream",
    "text/",
    "image/svg",
)


@dataclass(frozen=True)
class Answer:
    """An answer. A body that is a stream is never packed; who streams closes what it opened when the stream is closed.

    Args:
        body: the bytes, or a stream of them.
        headers: its own, beside those that every answer bears.
        policy: what a browser may do with it.
        length: of a stream, where it is known.
    """

    body: bytes | AsyncIterator[bytes] = b""
    type: str = JSON
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    policy: Policy = Policy.PAGE
    cache: str = NO_STORE
    length: int | None = None


def as_json(value: object, status: int = 200) -> Answer:
    """Answer with a value: structs, dicts, lists and plain values. What JSON cannot carry is marked, see `marked`."""
    return Answer(encoded(value), status=status)


def encoded(value: object) -> bytes:
    """Write a value as JSON in UTF-8; half a surrogate pair in a text as its escape."""
    ready = marked(value)
    try:
        return msgspec.json.encode(ready)
    except UnicodeEncodeError:
        return json.dumps(ready, separators=(",", ":"), allow_nan=False).encode()


def marked(value: Any) -> Any:
    """Make a value ready for JSON: NaN, infinities and ints beyond 2⁵³ become `{"$": "NaN"}`, and a key that begins with `$` gets one more."""
    if isinstance(value, float):
        return value if value - value == 0 else {"$": _name(value)}
    if isinstance(value, str | bool | None):
        return value
    if isinstance(value, int):
        return value if -SAFE_INT <= value <= SAFE_INT else {"$": str(value)}
    if isinstance(value, dict):
        return {f"${key}" if key[:1] == "$" else str(key): marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [marked(item) for item in value]
    if isinstance(value, msgspec.Struct):
        return {name: marked(getattr(value, name)) for name in value.__struct_fields__}
    raise TypeError(f"JSON has no form for a {type(value).__name__}")


def _name(value: float) -> str:
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def time_ms(moment: datetime | None) -> float | None:
    """Give a moment as the app takes it. Units: ms since 1970, UTC."""
    return None if moment is None else round(moment.timestamp() * 1e3, 3)


def packable(answer: Answer) -> bool:
    """Say whether gzip would make an answer smaller."""
    return answer.type.startswith(_PACKABLE) and all(name != "Content-Encoding" for name, _ in answer.headers)


def packed(body: bytes) -> bytes:
    """Pack a body for `Content-Encoding: gzip`. Level 3 makes frames as small as level 6 in a third of its time."""
    packer = zlib.compressobj(3, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()
