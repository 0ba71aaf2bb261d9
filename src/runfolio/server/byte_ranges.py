"""Understand a Range header: one range of bytes, or nothing of it.

Several ranges in one request are answered by the whole: who wants them may ask one by one, and 5,000 of them cost what one does.
Source: RFC 9110, section 14.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE = re.compile(r"bytes=([0-9]{0,20})-([0-9]{0,20})")
_HEADER_MAX = 64


class Span(NamedTuple):
    """Bytes from `start` up to before `end`."""

    start: int
    end: int


class OutOfRange(Exception):
    """A range that the file does not have."""


def asked_span(header: str | None, size_bytes: int) -> Span | None:
    """Give the span that a Range header asks for; None where the whole is to be sent.

    Raises:
        OutOfRange: no byte of the file is in it.
    """
    if header is None or len(header) > _HEADER_MAX:
        return None
    found = _ONE.fullmatch(header.strip().lower())
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        return _end(last, size_bytes)
    start, end = int(first), int(last) + 1 if last else size_bytes
    if end <= start and last:
        return None  # backwards is no range at all, and is passed over
    if start >= size_bytes:
        raise OutOfRange
    return Span(start, min(end, size_bytes))


def _end(last: str, size_bytes: int) -> Span | None:
    """Give the last so many bytes."""
    if not last:
        return None
    if not int(last) or not size_bytes:
        raise OutOfRange
    return Span(max(0, size_bytes - int(last)), size_bytes)
