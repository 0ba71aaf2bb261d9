"""Pack a merged series into bytes for the cache, bit for bit, and back.

Bytes per point: 16 where steps follow each other and the kind is one, else up to 26.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from runfolio.store.points import Merged

_HEAD = Struct("<QqBB6x")
_COUNTED, _STEPPED, _ONE_KIND = 1, 2, 4


def pack(points: Merged) -> bytes:
    """Pack a series that has at least one point."""
    steps, kinds, count = points.steps, points.kinds, len(points.values)
    counted = bool((np.diff(steps) == 1).all())
    stepped = not points.final.any()
    one_kind = bool((kinds == kinds[0]).all())
    flags = _COUNTED * counted | _STEPPED * stepped | _ONE_KIND * one_kind
    parts = [_HEAD.pack(count, int(steps[0]), flags, int(kinds[0])), points.values.tobytes(), points.times_ns.tobytes()]
    parts += [] if counted else [steps.tobytes()]
    parts += [] if stepped else [points.final.tobytes()]
    parts += [] if one_kind else [kinds.tobytes()]
    return b"".join(parts)


def unpack(blob: bytes) -> Merged:
    """Give the series back; its arrays are read-only."""
    count, first, flags, kind = _HEAD.unpack_from(blob)
    at = _HEAD.size
    values = np.frombuffer(blob, np.float64, count, at)
    times_ns = np.frombuffer(blob, np.int64, count, at + 8 * count)
    at += 16 * count
    steps, final, kinds = _alike(count, first, kind) if count <= _SHORT else _plain(count, first, kind)
    if not flags & _COUNTED:
        steps = np.frombuffer(blob, np.int64, count, at)
        at += 8 * count
    if not flags & _STEPPED:
        final = np.frombuffer(blob, np.bool_, count, at)
        at += count
    if not flags & _ONE_KIND:
        kinds = np.frombuffer(blob, np.uint8, count, at)
    return Merged(steps, final, values, kinds, times_ns)


def _plain(count: int, first: int, kind: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.uint8]]:
    """Give what a series has of which nothing needs to be told: steps that follow each other, no point without one, one kind."""
    found = np.arange(count, dtype=np.int64) + first, np.zeros(count, np.bool_), np.full(count, kind, np.uint8)
    for array in found:
        array.flags.writeable = False
    return found


_SHORT = 2000
_alike = lru_cache(16)(_plain)
"""Short series are many and alike, and share these; a long one's would only be held."""
