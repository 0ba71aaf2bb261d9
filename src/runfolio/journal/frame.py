"""Pack and parse the frames of a journal.

Source: docs/formats/journal.md, version 1. Bytes per metric call: 16 + 8 n, n the number of metrics.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple
from zlib import crc32

from runfolio.errors import Unreadable

VERSION = 1
MAGIC = b"\x89RFJ\r\n\x1a\n"
HEADER = Struct("<8sHHI16s")
HEADER_SIZE = HEADER.size  # 32

SUFFIX = ".jnl"
BLOCK_BYTES = 1 << 16
"""A block frame stands at least once in so many bytes."""

TAG_MAX = 0xFEFF
OPEN, KEYS, EVENT, BLOCK, SYNC, BEAT, CLOSE = range(0xFF01, 0xFF08)

METRIC_HEAD = Struct("<IHHiI")
METRIC_SIZE = METRIC_HEAD.size  # 16
CONTROL_HEAD = Struct("<IHHIIq")
CONTROL_SIZE = CONTROL_HEAD.size  # 24
_CONTROL_BODY = Struct("<HHIIq")  # the same behind the crc
_KEYS_BODY = Struct("<HHIIqHHIqq")  # and with the head of a declaration
_PADDING = tuple(bytes(-length % 8) for length in range(8))
PAYLOAD_MAX = 1 << 30

_KEYS_HEAD = Struct("<HHIqq")
_BLOCK = Struct("<QQII")
_SYNC = Struct("<Q")

_FINAL, _FIRST = 1, 2

TICK_BITS = 10
"""Times in metric frames count ticks of 2**10 ns."""


class KeySet(NamedTuple):
    """What a keys frame declares: the columns of the metric frames that bear its tag."""

    tag: int
    final: bool
    step_base: int
    time_base_ns: int
    kinds: str
    keys: tuple[str, ...]
    first: bytes = b""  # the values of the point that came with the declaration, at the bases; none in a copy

    @property
    def frame_bytes(self) -> int:
        return METRIC_SIZE + 8 * len(self.keys)


class Block(NamedTuple):
    start: int
    seq: int
    crc: int


def file_header(journal_id: str) -> bytes:
    """Render the first 32 bytes of a journal."""
    raw = bytes.fromhex(journal_id)
    bare = HEADER.pack(MAGIC, VERSION, HEADER_SIZE, 0, raw)
    return HEADER.pack(MAGIC, VERSION, HEADER_SIZE, crc32(bare[16:], crc32(bare[:12])), raw)


def parse_header(data: bytes | memoryview) -> str | None:
    """Read the journal id from the first bytes of a file; None where they are damaged.

    Raises:
        Unreadable: a sound header of a newer format version.
    """
    if len(data) < HEADER_SIZE:
        return None
    head = bytes(data[:HEADER_SIZE])
    magic, version, _size, crc, raw = HEADER.unpack(head)
    if magic != MAGIC or crc != crc32(head[16:], crc32(head[:12])):
        return None
    if version != VERSION:
        raise Unreadable(f"this journal has format version {version}; this runfolio reads {VERSION}. Upgrade runfolio.")
    return bytes(raw).hex()


def seed_of(journal_id: str) -> int:
    """Give the number that a journal's crcs start from."""
    return crc32(bytes.fromhex(journal_id))


def control(tag: int, seq: int, offset: int, seed: int, time_ns: int, payload: bytes = b"") -> bytes:
    """Render a control frame for this offset of the file."""
    length = len(payload)
    body = _CONTROL_BODY.pack(tag, seq & 0xFFFF, length, 0, time_ns) + payload + _PADDING[length & 7]
    return crc32(body, seed ^ offset).to_bytes(4, "little") + body


def control_bytes(payload_bytes: int) -> int:
    """Give the size of a control frame with a payload of this size."""
    return CONTROL_SIZE + (payload_bytes + 7 & ~7)


Declaration = tuple[int, bool, int, int, str, bytes]
"""What a keys frame is rendered from: tag, final, step base, time base, kinds, and the keys in UTF-8 with a zero byte between two."""


def keys_bytes(count: int, raw_keys: bytes) -> int:
    """Give the size of a keys frame with its first point."""
    return CONTROL_SIZE + _KEYS_HEAD.size + (9 * count + len(raw_keys) + 7 & ~7)


def keys_frame(declared: Declaration, seq: int, offset: int, seed: int, first: bytes = b"") -> bytes:
    """Render the declaration of a key set for this offset of the file, with its first point where the packed values are given."""
    tag, final, step_base, time_ns, kinds, raw_keys = declared
    count = len(kinds)
    length = _KEYS_HEAD.size + len(first) + count + len(raw_keys)
    flags = (_FINAL if final else 0) | (_FIRST if first else 0)
    head = _KEYS_BODY.pack(KEYS, seq & 0xFFFF, length, 0, time_ns, tag, flags, count, step_base, time_ns)
    body = b"".join((head, first, kinds.encode(), raw_keys, _PADDING[length & 7]))
    return crc32(body, seed ^ offset).to_bytes(4, "little") + body


def parse_keys(payload: bytes) -> KeySet:
    """Read the declaration of a key set.

    Raises:
        ValueError, struct.error: the payload is not one.
    """
    tag, flags, count, step_base, time_base_ns = _KEYS_HEAD.unpack_from(payload)
    at = _KEYS_HEAD.size + (8 * count if flags & _FIRST else 0)
    first = payload[_KEYS_HEAD.size : at]
    kinds = payload[at : at + count].decode("ascii")
    keys = tuple(payload[at + count :].decode().split("\0"))
    if len(keys) != count or len(kinds) != count or not 0 < tag <= TAG_MAX:
        raise ValueError("malformed keys frame")
    return KeySet(tag, bool(flags & _FINAL), step_base, time_base_ns, kinds, keys, first)


def block_payload(start: int, seq: int, crc: int) -> bytes:
    return _BLOCK.pack(start, seq, crc, 0)


def parse_block(payload: bytes) -> Block:
    start, seq, crc, _ = _BLOCK.unpack(payload)
    return Block(start, seq, crc)


def sync_payload(offset: int) -> bytes:
    return _SYNC.pack(offset)


def parse_sync(payload: bytes) -> int:
    (offset,) = _SYNC.unpack(payload)
    return int(offset)
