"""Pack a merged series into bytes for the cache, bit for bit, and back.

Bytes per point: 16 where steps follow each other and the kind is one, else up to 26.
"""

from __future__ import annotations

from struct import Struct

import numpy as np

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
    if flags & _COUNTED:
        steps = np.arange(count, dtype=np.int64) + first
    else:
        steps = np.frombuffer(blob, np.int64, count, at)
        at += 8 * count
    if flags & _STEPPED:
        final = np.zeros(count, np.bool_)
    else:
        final = np.frombuffer(blob, np.bool_, count, at)
        at += count
    kinds = np.full(count, kind, np.uint8) if flags & _ONE_KIND else np.frombuffer(blob, np.uint8, count, at)
    for array in (steps, final, kinds):
        array.flags.writeable = False
    return Merged(steps, final, values, kinds, times_ns)
