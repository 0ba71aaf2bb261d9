"""Gather the segments of a journal by key set, and find the places of a metric among them.

A run may have a million metrics, or a thousand segments: nothing here walks over all of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.journal.columns import Column, JournalColumns, Segment


class _Frames(NamedTuple):
    """What some segments, one behind the other, tell of every metric in them."""

    lengths: list[int]
    steps: NDArray[np.int64]
    final: NDArray[np.bool_]
    times_ns: NDArray[np.int64]
    seq: NDArray[np.int64]

    @classmethod
    def of(cls, segments: list[Segment]) -> _Frames:
        lengths = [len(segment.seq) for segment in segments]
        return cls(
            lengths,
            steps_of(segments),
            np.repeat(np.array([segment.columns.final for segment in segments]), lengths),
            _join([segment.times_ns for segment in segments]),
            _join([segment.seq for segment in segments]),
        )


class Groups:
    """Segments by the tag of their key set, in the order they were written."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self.by_tag: dict[int, list[Segment]] = {}
        self.places: dict[str, list[tuple[int, int]]] = {}
        """Of each metric, in the order first declared: the tags that have it, and its place in their key sets."""
        self._source: list[Segment] | None = None
        self._taken = 0
        self._frames: tuple[tuple[int, ...], _Frames] | None = None
        self.add(segments)

    def add(self, segments: Iterable[Segment]) -> None:
        """Take in further segments of the same journal."""
        for segment in segments:
            tag = segment.columns.tag
            if tag in self.by_tag:
                self.by_tag[tag].append(segment)
                continue
            self.by_tag[tag] = [segment]
            for place, key in enumerate(segment.columns.keys):
                self.places.setdefault(key, []).append((tag, place))

    def follow(self, journal: JournalColumns) -> Groups:
        """Take in what is new in a journal; begin anew where it was read anew."""
        if journal.segments is not self._source:
            self.by_tag, self.places, self._frames = {}, {}, None
            self._source, self._taken = journal.segments, 0
        self.add(journal.segments[self._taken :])
        self._taken = len(journal.segments)
        return self

    def column(self, metric: str) -> Column | None:
        """Give the points of a metric by rising sequence number; None where there are none."""
        found = [(segment, place) for tag, place in self.places.get(metric, ()) for segment in self.by_tag[tag]]
        if not found:
            return None
        frames = self._frames_of(metric, [segment for segment, _ in found])
        kinds = np.array([ord(segment.columns.kinds[place]) for segment, place in found], np.uint8)
        values = _join([segment.frames["values"][:, place] for segment, place in found])
        column = Column(
            frames.steps, frames.final, values, np.repeat(kinds, frames.lengths), frames.times_ns, frames.seq
        )
        if (column.seq[1:] > column.seq[:-1]).all():
            return column
        order = np.argsort(column.seq, kind="stable")
        return Column._make(array[order] for array in column)

    def _frames_of(self, metric: str, segments: list[Segment]) -> _Frames:
        """Give what the metrics of the same key sets share; asked for one after the other, they have it from the first."""
        key = (len(segments), *(tag for tag, _ in self.places[metric]))
        if self._frames is None or self._frames[0] != key:
            self._frames = (key, _Frames.of(segments))
        return self._frames[1]


def steps_of(segments: Sequence[Segment]) -> NDArray[np.int64]:
    """Give the steps of segments, one behind the other."""
    return _join([segment.steps for segment in segments])


def values_of(segments: Sequence[Segment], begin: int, end: int) -> NDArray[np.float64]:
    """Give the values of some of the metrics of a key set. Shape: points, metrics."""
    return _join([segment.frames["values"][:, begin:end] for segment in segments])


def _join(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
