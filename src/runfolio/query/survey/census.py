"""What each of many runs has, column by column: params and summary values as codes, the last values of metrics as numbers.

Made from what the index keeps, and kept for the next question: only runs that changed since are read again. About 90 bytes for each run and
15 params, 180 for 20 metrics: 3 MB of 10,000 runs, where the runs' own dicts would be 30.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.query.packed import packed, whole
from runfolio.query.per_store import PerStore
from runfolio.query.survey.layouts import SUMMARY, Layouts, base_of, summaries_of
from runfolio.store.run_row import from_json

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

NONE = -1
"""The code of a run that has no such value."""
_BATCH = 500  # runs that are read at once
_STALE = 4
"""All is read anew when so many times the runs were written over: values that no run has any more go with it."""
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


class Coded(NamedTuple):
    """A column of any values. Shape: one code for each run asked for."""

    values: Sequence[Any]
    codes: Codes
    """The place of the run's value among `values`; `NONE` where it has none."""


class Numbers(NamedTuple):
    """The last values of a metric, the mean of its ranks where there are several. Shape: (run,)."""

    values: Floats
    """NaN where there is none, as where NaN was logged."""
    present: NDArray[np.bool_]


class _Codes:
    """A growing column of codes."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.places: dict[tuple[type, Any], int] = {}
        self.codes = np.full(0, NONE, np.int32)
        self.slots: list[int] = []  # written since, and what: set at once
        self.new: list[int] = []

    def put(self, slot: int, value: Any) -> None:
        place = self.places.get(_identity(value))
        if place is None:
            place = self.places[_identity(value)] = len(self.values)
            self.values.append(value)
        self.slots.append(slot)
        self.new.append(place)


class Census:
    """The runs of one store, as far as they were asked about.

    Contract: any thread may use it.
    """

    def __init__(self) -> None:
        self.layouts = Layouts()
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        self._slots: dict[str, int] = {}
        self._versions: list[int] = []
        self._params: dict[str, _Codes] = {}
        self._summary: dict[str, _Codes] = {}
        self._goals = _Codes()
        self._metrics: dict[str, tuple[Floats, NDArray[np.bool_]]] = {}
        self._written = 0

    def of(self, runs: Iterable[Run]) -> Columns:
        """Give the columns of runs, in their order; those that changed are read again."""
        listed = list(runs)
        with self._lock:
            if self._written > _STALE * (len(self._slots) + _BATCH):
                self._forget()
            slots = self._take_in(listed)
            return Columns(
                {key: _coded(column, slots) for key, column in self._params.items()},
                {key: _coded(column, slots) for key, column in self._summary.items()},
                {key: Numbers(values[slots], present[slots]) for key, (values, present) in self._metrics.items()},
                _coded(self._goals, slots),
                listed,
            )

    def _take_in(self, runs: list[Run]) -> Codes:
        known, versions = self._slots, self._versions
        changed: list[tuple[int, Run]] = []
        slots = np.zeros(len(runs), np.int64)
        before = len(versions)
        for place, run in enumerate(runs):
            row = run._row
            slot = known.get(row.id)
            if slot is None:
                slot = known[row.id] = len(versions)
                versions.append(row.version)
                changed.append((slot, run))
            elif versions[slot] != row.version:
                versions[slot] = row.version
                changed.append((slot, run))
            slots[place] = slot
        if changed:
            self._written += len(changed)
            self._clear([slot for slot, _ in changed if slot < before])
            for at in range(0, len(changed), _BATCH):
                some = changed[at : at + _BATCH]
                there = whole(some[0][1]._store, [run for _, run in some])
                self._write_values([slot for slot, _ in some], there)
                self._write_metrics([slot for slot, _ in some], there)
            self._settle()
        return slots

    def _columns(self) -> Iterator[_Codes]:
        yield from self._params.values()
        yield from self._summary.values()
        yield self._goals

    def _clear(self, slots: list[int]) -> None:
        if not slots:
            return
        for column in self._columns():
            at = np.array(slots, np.int64)
            column.codes[at[at < len(column.codes)]] = NONE
        for values, present in self._metrics.values():
            at = np.array(slots, np.int64)
            at = at[at < len(values)]
            values[at], present[at] = np.nan, False

    def _write_values(self, slots: list[int], runs: list[Run]) -> None:
        """Read params, summary values and goals; a run that has gone in between has none."""
        for slot, text in zip(slots, packed(runs, "params"), strict=True):
            self._put(self._params, slot, from_json(text or "{}"))
        for slot, text in zip(slots, packed(runs, "more"), strict=True):
            more = from_json(text) if text else {"summary": {}, "goals": {}}
            self._put(self._summary, slot, more["summary"])
            if more["goals"]:
                self._goals.put(slot, more["goals"])

    @staticmethod
    def _put(family: dict[str, _Codes], slot: int, values: dict[str, Any]) -> None:
        for key, value in values.items():
            column = family.get(key)
            if column is None:
                column = family[key] = _Codes()
            column.put(slot, value)

    def _write_metrics(self, slots: list[int], runs: list[Run]) -> None:
        """Read the summaries, those of runs with the same metrics at once."""
        alike: dict[bytes, tuple[list[int], list[bytes]]] = {}
        for slot, blob in zip(slots, summaries_of(runs), strict=True):
            base = base_of(blob)
            theirs, blobs = alike.setdefault(blob[:base], ([], []))
            theirs.append(slot)
            blobs.append(blob[base:])
        for head, (theirs, blobs) in alike.items():
            self._write_alike(theirs, blobs, self.layouts.places(head))

    def _write_alike(self, slots: list[int], blobs: list[bytes], places: dict[str, list[int]]) -> None:
        rows = np.frombuffer(b"".join(blobs), SUMMARY).reshape(len(blobs), -1)
        for name, several in places.items():
            values, present = self._metric(name)
            last = rows["last"][:, several]
            values[slots] = last[:, 0] if len(several) == 1 else last.mean(axis=1)
            present[slots] = True

    def _metric(self, name: str) -> tuple[Floats, NDArray[np.bool_]]:
        values, present = self._metrics.get(name, (np.full(0, np.nan), np.zeros(0, np.bool_)))
        if len(values) < len(self._versions):
            room = len(self._versions)
            values, present = _longer(values, room, np.nan), _longer(present, room, False)
            self._metrics[name] = (values, present)
        return values, present

    def _settle(self) -> None:
        """Make all columns as long as there are runs, and write what waits."""
        room = len(self._versions)
        for column in self._columns():
            column.codes = _longer(column.codes, room, NONE)
            column.codes[column.slots] = column.new
            column.slots, column.new = [], []
        for name in list(self._metrics):
            self._metric(name)


class Columns(NamedTuple):
    """The columns of some runs."""

    params: dict[str, Coded]
    summary: dict[str, Coded]
    metrics: dict[str, Numbers]
    goals: Coded
    runs: list[Run]

    @property
    def total(self) -> int:
        return len(self.runs)


def _coded(column: _Codes, slots: Codes) -> Coded:
    codes = column.codes[slots] if len(column.codes) else np.full(len(slots), NONE)
    return Coded(column.values, codes.astype(np.int64))


def _longer(array: NDArray[Any], room: int, fill: object) -> NDArray[Any]:
    return np.concatenate([array, np.full(room - len(array), fill, array.dtype)]) if len(array) < room else array


def _identity(value: Any) -> tuple[type, Any]:
    """Give what tells values apart as `model.params.same` does: 1, 1.0 and True differ, so do 0.0 and -0.0; NaN is NaN."""
    if isinstance(value, float):
        return (float, value) if value and value == value else (float, repr(value))
    return (type(value), value) if isinstance(value, str | int | None) else (type(value), repr(value))


def census_of(store: Store) -> Census:
    """Give what is known of a store's runs; one for each store that is open."""
    return _ALL.of(store)


_ALL = PerStore(Census)
