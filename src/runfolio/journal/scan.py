"""Read the frames of a journal from its bytes: the truth, by the standard library alone.

`scan` checks each frame's own crc, finds its way on after damage, and says what is missing. `columns` does the same faster, by blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct, unpack
from struct import error as StructError
from typing import Any, NamedTuple
from zlib import crc32

from runfolio.errors import Unreadable
from runfolio.journal import frame
from runfolio.journal.frame import KeySet
from runfolio.model.strict_json import loads

_HEAD = Struct("<IHH")
_OFFSETS = Struct("<iI")
_STEP = Struct("<i")
_SEQ_MAX = 1 << 62
"""No journal has so many frames; a block frame that tells of more is made to harm."""
_KINDS = frozenset("fib")


class Frame(NamedTuple):
    """A good frame: where it stands, and what it says."""

    offset: int
    size: int
    tag: int
    seq: int
    time_ns: int | None  # of control frames
    payload: bytes  # of a control frame; the body behind the 8-byte head of a metric frame


class Damage(NamedTuple):
    """A hole between two good frames, or before the end: `missing` frames, by the sequence numbers around it."""

    offset: int
    size: int
    missing: int
    after_seq: int


class Scan(NamedTuple):
    """All that a file's bytes say."""

    journal_id: str
    header_damaged: bool
    frames: list[Frame]
    damage: list[Damage]
    end: int  # where the last good frame ends
    synced: int  # what lies before this offset had reached the disk
    closed: bool
    torn: int  # bytes behind the end that are neither frames nor zeros

    @property
    def unsound(self) -> list[Damage]:
        """Damage that a power cut does not explain."""
        return [hole for hole in self.damage if hole.offset < self.synced]


def scan(data: bytes | memoryview, journal_id: str) -> Scan:
    """Find every good frame in a journal's bytes.

    Args:
        journal_id: from the file's name; a sound header has the last word.
    """
    found_id = frame.parse_header(data)
    seed = frame.seed_of(found_id or journal_id)
    sizes: dict[int, int] = {}
    good = list(_good_frames(data, seed, sizes, frame.HEADER_SIZE))
    if sizes and _has_hole(good):
        good = list(_good_frames(data, seed, sizes, frame.HEADER_SIZE))  # a declaration may stand behind its frames
    return _judge(good, found_id or journal_id, found_id is None, data)


def _has_hole(frames: list[Frame]) -> bool:
    end = frame.HEADER_SIZE
    for good in frames:
        if good.offset != end:
            return True
        end += good.size
    return False


def _judge(found: list[Frame], journal_id: str, header_damaged: bool, data: bytes | memoryview) -> Scan:
    """Number the frames, and say what is missing between them."""
    frames: list[Frame] = []
    damage: list[Damage] = []
    end, seq, synced, closed = frame.HEADER_SIZE, -1, 0, False
    for good in found:
        number = _unwrap(good, seq)
        if good.offset != end:
            damage.append(Damage(end, good.offset - end, number - seq - 1, seq))
        elif number != seq + 1:
            damage.append(Damage(end, 0, number - seq - 1, seq))
        frames.append(good if good.seq == number else Frame(*good[:3], number, *good[4:]))
        seq, end = number, good.offset + good.size
        if good.tag == frame.SYNC:
            synced = max(synced, synced_to(good.payload))
        elif good.tag == frame.CLOSE:
            synced, closed = end, True
    rest = bytes(data[end:]).rstrip(b"\0")
    return Scan(journal_id, header_damaged, frames, damage, end, synced, closed, len(rest))


def _good_frames(data: bytes | memoryview, seed: int, sizes: dict[int, int], at: int) -> Iterator[Frame]:
    """Yield the frames whose crc is right, trying each multiple of 8 after a wrong one; learn sizes on the way."""
    view = memoryview(data)
    last = len(view) - frame.METRIC_SIZE
    while at <= last:
        good = frame_at(view, at, seed, sizes)
        if good is None:
            at = _next_nonzero(view, at + 8)
        else:
            declared = key_set(good.payload) if good.tag == frame.KEYS else None
            if declared is not None:
                sizes[declared.tag] = declared.frame_bytes
            yield good
            at += good.size


def key_set(payload: bytes) -> KeySet | None:
    """Read a declaration; None where it is malformed."""
    try:
        columns = frame.parse_keys(payload)
    except (ValueError, StructError):
        return None
    return columns if _KINDS.issuperset(columns.kinds) else None


def synced_to(payload: bytes) -> int:
    """Read what a sync frame tells; 0 where it is malformed."""
    try:
        return frame.parse_sync(payload)
    except StructError:
        return 0


def _next_nonzero(view: memoryview, at: int) -> int:
    """Skip zeros quickly; stays on the 8-byte grid."""
    chunk = 1 << 16
    while at < len(view):
        piece = bytes(view[at : at + chunk])
        rest = piece.lstrip(b"\0")
        if rest:
            return at + (len(piece) - len(rest)) // 8 * 8
        at += len(piece)
    return at


def frame_at(view: memoryview, at: int, seed: int, sizes: dict[int, int], base: int = 0) -> Frame | None:
    """Give the frame at this place, if its crc is right and its size is known; the view begins at offset `base` of the file."""
    start = seed ^ ((base + at) & 0xFFFFFFFF)
    crc, tag, seq = _HEAD.unpack_from(view, at)
    if tag == 0:
        return None
    if tag <= frame.TAG_MAX:
        size = sizes.get(tag, 0)
        if not size or at + size > len(view):
            return None
        if crc32(view[at + 4 : at + size], start) != crc:
            return None
        return Frame(base + at, size, tag, seq, None, bytes(view[at + 8 : at + size]))
    if at + frame.CONTROL_SIZE > len(view):
        return None
    _, _, _, length, _, time_ns = frame.CONTROL_HEAD.unpack_from(view, at)
    size = frame.control_bytes(length)
    if length > frame.PAYLOAD_MAX or at + size > len(view):
        return None
    if crc32(view[at + 4 : at + size], start) != crc:
        return None
    payload = bytes(view[at + frame.CONTROL_SIZE : at + frame.CONTROL_SIZE + length])
    return Frame(base + at, size, tag, seq, time_ns, payload)


def _unwrap(good: Frame, before: int) -> int:
    """Give the whole sequence number of a frame that follows `before`."""
    ahead = before + 1 + ((good.seq - before - 1) & 0xFFFF)
    if good.tag != frame.BLOCK:
        return ahead
    try:
        told = frame.parse_block(good.payload).seq
    except StructError:
        return ahead
    return told if ahead <= told < _SEQ_MAX and told & 0xFFFF == good.seq else ahead


def opening(found: Scan) -> dict[str, Any]:
    """Give the payload of the open frame; empty where it is damaged."""
    for good in found.frames[:1]:
        if good.tag == frame.OPEN:
            return json_object(good.payload)
    return {}


def events(found: Scan) -> Iterator[tuple[Frame, dict[str, Any]]]:
    """Yield the event frames with their objects; what is not one is passed over."""
    for good in found.frames:
        if good.tag == frame.EVENT:
            body = json_object(good.payload)
            if body:
                yield good, body


def key_sets(found: Scan) -> dict[int, KeySet]:
    """Give the key sets by tag."""
    declared = (key_set(good.payload) for good in found.frames if good.tag == frame.KEYS)
    return {columns.tag: columns for columns in declared if columns is not None}


def steps(found: Scan) -> Iterator[int]:
    """Yield the steps of the calls of `log`, of those that have one."""
    sets = {tag: columns.step_base for tag, columns in key_sets(found).items() if not columns.final}
    for good in found.frames:
        if (base := sets.get(good.tag)) is not None:
            yield base + _STEP.unpack_from(good.payload)[0]
        elif good.tag == frame.KEYS:
            columns = key_set(good.payload)
            if columns is not None and columns.first and not columns.final:
                yield columns.step_base


class Row(NamedTuple):
    """The metrics of one call."""

    seq: int
    columns: KeySet
    step: int | None
    time_ns: int
    raw: bytes  # float64, one per key

    @property
    def values(self) -> tuple[float, ...]:
        return unpack(f"<{len(self.columns.keys)}d", self.raw)


def rows(found: Scan) -> Iterator[Row]:
    """Yield the calls of `log`, in their order; those of a key set whose declaration is lost are passed over."""
    sets = key_sets(found)
    for good in found.frames:
        if good.tag == frame.KEYS:
            columns = key_set(good.payload)
            if columns is not None and columns.first:
                yield _row(good.seq, columns, 0, 0, columns.first)
        elif (columns := sets.get(good.tag)) is not None:
            step, ticks = _OFFSETS.unpack_from(good.payload)
            yield _row(good.seq, columns, step, ticks, good.payload[_OFFSETS.size :])


def _row(seq: int, columns: KeySet, step: int, ticks: int, raw: bytes) -> Row:
    at = None if columns.final else columns.step_base + step
    return Row(seq, columns, at, columns.time_base_ns + (ticks << frame.TICK_BITS), raw)


def json_object(payload: bytes) -> dict[str, Any]:
    """Read a payload that is a JSON object; empty where it is not."""
    try:
        value = loads(payload)
    except (ValueError, Unreadable):
        return {}
    return value if isinstance(value, dict) else {}
