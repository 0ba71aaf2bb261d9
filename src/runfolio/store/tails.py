"""Judge the ends of a journal: what a kill, a truncation or a power cut leaves there is sound, all else is damage.

A kill leaves a part of one frame; a power cut takes whole sectors, and puts zeros in their place. Neither makes bytes up.
Source: docs/formats/journal.md, "Reading after damage". Standard library only.
"""

from __future__ import annotations

from typing import NamedTuple

from runfolio.journal import frame
from runfolio.journal.scan import Scan, key_sets

_SECTOR = 512
_HEAD = 8  # the crc, tag and number of a frame: stored at once


class Verdict(NamedTuple):
    """What stands somewhere that is no frame."""

    message: str
    damage: bool  # else it is sound


def judge_header(data: bytes, found: Scan) -> Verdict | None:
    """Judge the first bytes of a file; None where there is nothing to tell."""
    kept = data.rstrip(b"\0")
    if not found.header_damaged or not kept:
        return None
    if frame.file_header(found.journal_id).startswith(kept):
        return Verdict("torn tail: the file's header was cut off", False)
    if not found.frames:
        return Verdict(f"the file's header is damaged, and none of its {len(kept)} bytes are in a good frame", True)
    if not found.synced and not any(data[:_SECTOR]):
        return Verdict("the file's header is gone; it was not synced: sound after a power cut", False)
    return Verdict(f"the file's header is damaged{'' if found.damage or found.torn else '; the frames are not'}", True)


def judge_tail(data: bytes, found: Scan) -> Verdict | None:
    """Judge the bytes behind the last good frame; None where there is nothing to tell."""
    if not found.torn or (found.header_damaged and not found.frames):
        return None
    if found.closed:
        return Verdict(f"{found.torn} bytes stand behind the frame that closes the file", True)
    size = _size_of_next(data, found)
    if size is None or found.torn <= size:
        return Verdict(f"torn tail: {found.torn} bytes of a write that was cut off", False)
    if _misses_sector(data, found.end, size):
        return Verdict(f"torn tail: {found.torn} bytes, not synced: sound after a power cut", False)
    return Verdict(f"{found.torn} bytes are no frames: no kill and no power cut leaves them so", True)


def _size_of_next(data: bytes, found: Scan) -> int | None:
    """Give how many bytes the frame that begins behind the last good one may have: 0 where none does, None where nothing tells."""
    head = data[found.end : found.end + frame.CONTROL_SIZE].ljust(frame.CONTROL_SIZE, b"\0")
    _, tag, low, length, _, _ = frame.CONTROL_HEAD.unpack(head)
    if found.torn < _HEAD or not any(head[:_HEAD]):
        return None  # a copy may store the head of a frame last
    last = found.frames[-1].seq if found.frames else -1
    if low != (last + 1) & 0xFFFF or (last < 0 and tag != frame.OPEN):
        return 0
    if tag > frame.TAG_MAX:
        return frame.control_bytes(length) if length <= frame.PAYLOAD_MAX else 0
    columns = key_sets(found).get(tag)
    if columns is None:
        return None if found.damage else 0  # its declaration stood in a hole, which is judged by itself
    return columns.frame_bytes


def _misses_sector(data: bytes, start: int, size: int) -> bool:
    """Say whether a sector of a frame was never written."""
    first = start // _SECTOR + 1
    return any(
        not any(data[at * _SECTOR : (at + 1) * _SECTOR]) for at in range(first, (start + size - 1) // _SECTOR + 1)
    )
