"""Set JSON in lines, as it stands: no number is read, no key is dropped, and half a document is as good as a whole one.

A parser would give 1e400 as infinity and one of two equal keys, and needs all of it in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runfolio.query.previews.table import Source

READ_BYTES = 1 << 20
CHARS_MAX = 256 << 10
DEPTH_MAX = 64
"""Deeper levels are set in no deeper columns."""

_PARTS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_OPEN, _CLOSE = frozenset("{["), frozenset("}]")


def in_lines(source: Source) -> tuple[str, bool]:
    """Give JSON in lines with two spaces for each level, and whether it was cut."""
    data = source.read_at(0, READ_BYTES)
    text = data.decode("utf-8-sig", "replace")
    written: list[str] = []
    size, cut = 0, len(data) < source.size_bytes
    for piece in _set(_PARTS.finditer(text)):
        size += len(piece)
        if size > CHARS_MAX:
            cut = True
            break
        written.append(piece)
    return "".join(written), cut


def _set(parts: Iterator[re.Match[str]]) -> Iterator[str]:
    depth, before = 0, ""
    for found in parts:
        part = found[0]
        if part in _CLOSE:
            depth = max(0, depth - 1)
            if before not in _OPEN:
                yield _line(depth)
        elif before in _OPEN or before == ",":
            yield _line(depth)
        yield f"{part} " if part == ":" else part
        depth += part in _OPEN
        before = part


def _line(depth: int) -> str:
    return "\n" + "  " * min(depth, DEPTH_MAX)
