"""Read one metric out of the packed summaries of many runs; the names of runs that logged the same metrics are read once for all of them.

`run.metrics` is for one run. Over 10,000 runs its lists of names alone take 20 MB, and their making a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.query.packed import packed
from runfolio.store.summary import PACKED_SIZE

if TYPE_CHECKING:
    from runfolio.query.run import Run

SUMMARY = np.dtype(
    [
        *((name, "<f8") for name in ("first", "last", "min", "max", "total")),
        *((name, "<i8") for name in ("count", "nan_count", "first_step", "last_step", "min_step", "max_step", "rank")),
        ("flags", "<u4"),
        ("kinds", "S5"),
        ("pad", "V3"),
    ]
)
"""A packed summary, as `runfolio.store.summary` writes it."""
FIRST_STEP, LAST_STEP, _, _, RANK = (1 << bit for bit in range(5))
"""Flags: what is there."""
_LAYOUTS_MAX = 1_000
Places = dict[str, list[int]]
"""The places of the series of each metric, one for each rank."""
Rows = NDArray[Any]

assert SUMMARY.itemsize == PACKED_SIZE


class Found(NamedTuple):
    """One metric of many runs. Shape: one element for each run and rank."""

    owners: NDArray[np.int64]
    """The place of the run among those asked for."""
    rows: Rows
    """Its summary; dtype `SUMMARY`."""

    @property
    def points(self) -> NDArray[np.int64]:
        """How many points there are, NaN among them."""
        told: NDArray[np.int64] = self.rows["count"] + self.rows["nan_count"]
        return told


class Layouts:
    """Where the metrics stand in packed summaries.

    Contract: any thread may use it.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Places] = {}

    def places(self, blob: bytes) -> Places:
        """Give the places of all metrics."""
        names = blob[4 : base_of(blob)]
        found = self._known.get(names)
        if found is None:
            if len(self._known) >= _LAYOUTS_MAX:
                self._known.clear()
            found = {}
            for place, name in enumerate(names.decode().split("\0") if names else ()):
                found.setdefault(name, []).append(place)
            self._known[names] = found
        return found

    def find(self, runs: Sequence[Run], metric: str) -> Found:
        """Give the summaries of a metric, of those of the runs that have it."""
        owners: list[int] = []
        parts: list[bytes] = []
        for owner, blob in enumerate(summaries_of(runs)):
            for place in self.places(blob).get(metric, ()):
                begin = base_of(blob) + place * PACKED_SIZE
                owners.append(owner)
                parts.append(blob[begin : begin + PACKED_SIZE])
        return Found(np.array(owners, np.int64), np.frombuffer(b"".join(parts), SUMMARY))


def summaries_of(runs: Sequence[Run]) -> Iterator[bytes]:
    """Yield the packed summaries of runs; those of one that has gone in between are empty."""
    return (_NONE if blob is None else blob for blob in packed(runs, "summaries"))


def base_of(blob: bytes) -> int:
    """Give where the first summary stands."""
    return 4 + int.from_bytes(blob[:4], "little")


def numbers_of(found: Found, which: str, runs: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give a number of each run, the mean of its ranks where it has several, and which runs have any. Shape: (run,).

    Args:
        which: first, last, min, max or mean.
    """
    rows = found.rows
    with np.errstate(all="ignore"):
        told = rows["total"] / rows["count"] if which == "mean" else rows[which].astype(np.float64)
        ranks = np.bincount(found.owners, minlength=runs)
        if len(rows) == np.count_nonzero(ranks):  # one rank each: bit for bit
            values = np.full(runs, np.nan)
            values[found.owners] = told
        else:
            values = np.bincount(found.owners, told, minlength=runs) / ranks
    return values, ranks > 0


_NONE = bytes(4)
