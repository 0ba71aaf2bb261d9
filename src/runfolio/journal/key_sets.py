"""Know the key sets that are declared in the open file, and append what the hot path cannot.

A key set is the names of one call's metrics, in their order, with their kinds. Its first point is its declaration; from the second on it is packed by
one struct, and the hot path may take it. At most `SETS_MAX` are known: beyond that all are forgotten, and declared again when they come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from struct import Struct
from struct import error as StructError
from typing import NamedTuple
from zlib import crc32

from runfolio.journal import frame
from runfolio.journal.places import FullOfSets
from runfolio.journal.points import Point
from runfolio.journal.tail import Tail

SETS_MAX = 1024
_FAR = 1 << 62

Key = tuple[bytes, str, bool]
"""Names as they stand in the file, kinds, and whether the points have no step. Bytes remember their hash, a tuple of names does not."""


class KnownSet(NamedTuple):
    """A key set declared in `tail`, ready to pack."""

    values_of: Callable[[Mapping[str, object]], tuple[object, ...]]
    tail: Tail
    size: int
    pack: Callable[..., bytes]
    tag: int
    step_base: int
    boot_base: int
    types: tuple[type, ...] | None
    ints: tuple[int, ...]


class KeySets:
    """The key sets of one writer.

    Contract: called under the writer's lock; the hot path reads `by_keys` and `by_count` without it, and checks what it finds under it.
    """

    __slots__ = ("_offset_ns", "_sets", "by_count", "by_keys")

    def __init__(self, offset_ns: int) -> None:
        self._offset_ns = offset_ns  # from the boot clock to the wall
        self._sets: dict[Key, KnownSet] = {}
        self.by_keys: dict[tuple[str, ...], KnownSet] = {}
        self.by_count: dict[int, KnownSet] = {}  # the last one with so many keys

    def __len__(self) -> int:
        return len(self._sets)

    def append(self, tail: Tail, point: Point, step: int, final: bool, boot: int) -> None:
        """Append the metrics of one call to `tail`, declaring their key set where it must be.

        Raises:
            OSError: no room, or a disk that refuses; nothing is appended then. FullOfSets: the file takes no further key set.
        """
        key = (point.raw_keys, point.kinds, final)
        known = self._sets.get(key)
        if known is None or known.tail is not tail:
            return self._declare(tail, key, point, step, boot)
        tail.room(known.size)
        data = _render(known, point, step, boot)
        if not data:
            return self._declare(tail, key, point, step, boot)
        tail.put(data)
        try:
            self._remember(key, point, known)
        except MemoryError:
            self.forget()  # the point is kept: what follows it is only our own

    def _remember(self, key: Key, point: Point, known: KnownSet) -> None:
        """Let the hot path take a key set that comes a second time, and have its declaration copied with the next block."""
        keys, kinds, _, raw_keys, types = point
        # the hot path does not look for the ends of int64
        hot = types is not None and not key[2] and abs(known.step_base) < _FAR
        if known.types is None:
            values_of = itemgetter(*keys) if len(keys) > 1 else _one_value(keys[0])
            known = self._sets[key] = known._replace(types=types or (), values_of=values_of)
            declared = (known.tag, key[2], known.step_base, known.boot_base + self._offset_ns, kinds, raw_keys)
            known.tail.once.append(declared)
        if hot:
            self.by_keys[keys] = self.by_count[len(keys)] = known._replace(types=types)

    def forget(self) -> None:
        """Declare everything anew: another file, or too many sets."""
        self._sets.clear()
        self.by_keys.clear()
        self.by_count.clear()

    def _declare(self, tail: Tail, key: Key, point: Point, step: int, boot: int) -> None:
        """Append the declaration of a key set, with this point in it."""
        tag = tail.tags + 1
        if tag > frame.TAG_MAX:
            raise FullOfSets(0, "no key set tags left")
        keys, kinds, values, raw_keys, _ = point
        count = len(keys)
        structs = _STRUCTS.get(count)
        if structs is None:
            structs = _STRUCTS[count] = (Struct(f"<HHiI{count}d"), Struct(f"<{count}d").pack)
        packer, pack_values = structs
        tail.tags = tag
        declared = (tag, key[2], step, boot + self._offset_ns, kinds, raw_keys)
        data = frame.keys_frame(declared, tail.seq, tail.off, tail.seed, pack_values(*values))
        if tail.off + len(data) > tail.stop:
            tail.room(len(data))
        if len(self._sets) >= SETS_MAX:
            self.forget()
        ints = tuple([i for i, kind in enumerate(kinds) if kind == "i"]) if "i" in kinds else ()
        entry = tuple.__new__(KnownSet, (_no_values, tail, packer.size + 4, packer.pack, tag, step, boot, None, ints))
        tail.put(data)
        try:
            self._sets[key] = entry
        except MemoryError:
            self.forget()


_STRUCTS: dict[int, tuple[Struct, Callable[..., bytes]]] = {}  # of a metric frame, and what packs its values alone


def _render(known: KnownSet, point: Point, step: int, boot: int) -> bytes:
    """Render a metric frame; empty where the step or the time do not fit the key set."""
    tail = known.tail
    offsets = step - known.step_base, (boot - known.boot_base) >> frame.TICK_BITS
    try:
        body = known.pack(known.tag, tail.seq & 0xFFFF, *offsets, *point.values)
    except StructError:
        return b""
    return crc32(body, tail.seed ^ tail.off).to_bytes(4, "little") + body


def _no_values(_metrics: Mapping[str, object]) -> tuple[object, ...]:
    raise KeyError


def _one_value(key: str) -> Callable[[Mapping[str, object]], tuple[object, ...]]:
    return lambda metrics: (metrics[key],)
