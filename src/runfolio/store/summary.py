"""Sum a series up in a few numbers, exactly, and keep them in a few bytes.

Standard library only: a listing of 10,000 runs reads summaries and needs no numpy. `fold` makes them.
Bytes of a packed summary: 108 for each series, and the names of the metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Any, NamedTuple

Number = float | int | bool

_PACKED = Struct("<5d7qI5sxxx")
PACKED_SIZE = _PACKED.size
_FIRST_STEP, _LAST_STEP, _MIN_STEP, _MAX_STEP, _RANK = (1 << bit for bit in range(5))


class Summary(NamedTuple):
    """One series in numbers. NaN is left out of min, max, total and count."""

    rank: int | None
    first: float
    last: float
    min: float  # NaN where count is 0
    max: float
    total: float  # added up in the order of the series, so that a part of it can be carried on
    count: int  # type: ignore[assignment]  # of the points, not tuple's
    nan_count: int
    first_step: int | None  # None where the point has no step
    last_step: int | None
    min_step: int | None
    max_step: int | None
    kinds: str  # of first, last, min, max, and of all

    @property
    def kind(self) -> str:
        return self.kinds[4]


def pack(named: Iterable[tuple[str, Summary]]) -> bytes:
    """Pack the summaries of a run: those of a metric next to each other, in the order of their ranks, none first."""
    by_name: dict[str, list[Summary]] = {}
    for name, summary in named:
        by_name.setdefault(name, []).append(summary)
    pairs = [(name, summary) for name, several in by_name.items() for summary in sorted(several, key=_rank_order)]
    names = "\0".join(name for name, _ in pairs).encode()
    return len(names).to_bytes(4, "little") + names + b"".join(_packed(summary) for _, summary in pairs)


def _rank_order(summary: Summary) -> int:
    return -1 if summary.rank is None else summary.rank


def _packed(s: Summary) -> bytes:
    wholes = (s.first_step, s.last_step, s.min_step, s.max_step, s.rank)
    flags = sum(1 << bit for bit, whole in enumerate(wholes) if whole is not None)
    first, last, lowest, highest, rank = (whole or 0 for whole in wholes)
    return _PACKED.pack(
        s.first, s.last, s.min, s.max, s.total, s.count, s.nan_count, first, last, lowest, highest, rank, flags, s.kinds.encode()
    )  # fmt: skip


Raw = tuple[Any, ...]
"""A summary as it is packed: unpacked in one go, and looked into only where asked."""

FIRST, LAST, MIN, MAX, TOTAL, COUNT, NAN_COUNT = range(7)
_NUMBERS_OF_STEPS, _RANK_AT, _FLAGS, _KINDS = 7, 11, 12, 13

_FEW = 100


class Packed:
    """The packed summaries of a run; one is unpacked when asked for."""

    __slots__ = ("_base", "_blob", "_places", "names")

    def __init__(self, blob: bytes) -> None:
        end = 4 + int.from_bytes(blob[:4], "little")
        self._blob = blob
        self._base = end
        self.names = blob[4:end].decode().split("\0") if end > 4 else []
        self._places: dict[str, int] | None = None

    def __contains__(self, name: object) -> bool:
        return self._place(name) is not None

    def __iter__(self) -> Iterator[tuple[str, Summary]]:
        return ((name, summary_of(self.at(place))) for place, name in enumerate(self.names))

    def raw(self, name: str) -> list[Raw]:
        """Give the summaries of a metric, one for each rank; empty where there is none."""
        names, place = self.names, self._place(name)
        if place is None:
            return []
        found = [self.at(place)]
        while place + len(found) < len(names) and names[place + len(found)] == name:
            found.append(self.at(place + len(found)))
        return found

    def ranks(self, name: str) -> list[int | None]:
        """Give the ranks that have a metric."""
        return [rank_of(raw) for raw in self.raw(name)]

    def _place(self, name: object) -> int | None:
        """Find the first summary of a metric: among many by a dict, which is not worth its making for a few."""
        names = self.names
        if len(names) <= _FEW:
            return names.index(name) if name in names else None
        if self._places is None:
            self._places = {name: len(names) - 1 - at for at, name in enumerate(reversed(names))}
        return self._places.get(name)  # type: ignore[call-overload, no-any-return]

    def raws(self) -> Iterator[Raw]:
        """Yield all summaries, in the order of the names."""
        return _PACKED.iter_unpack(self._blob[self._base :])

    def at(self, place: int) -> Raw:
        """Give the summary at a place among the names."""
        return _PACKED.unpack_from(self._blob, self._base + place * _PACKED.size)


def rank_of(raw: Raw) -> int | None:
    return raw[_RANK_AT] if raw[_FLAGS] & _RANK else None


def value_of(raw: Raw, which: int) -> Number:
    """Give FIRST, LAST, MIN or MAX as it was logged."""
    return number(raw[which], chr(raw[_KINDS][which]))


def kind_of(raw: Raw) -> str:
    """Give the kind of all points."""
    return chr(raw[_KINDS][4])


def step_of(raw: Raw, which: int) -> int | None:
    """Give the step of FIRST, LAST, MIN or MAX; None for a point without one."""
    return raw[_NUMBERS_OF_STEPS + which] if raw[_FLAGS] & 1 << which else None


def summary_of(raw: Raw) -> Summary:
    steps = (step_of(raw, which) for which in (FIRST, LAST, MIN, MAX))
    return Summary._make((rank_of(raw), *raw[:7], *steps, raw[_KINDS].decode()))


def number(value: float, kind: str) -> Number:
    """Give a stored value as what was logged: an int, a bool or a float."""
    if kind == "i":
        return int(value)
    return bool(value) if kind == "b" else value
