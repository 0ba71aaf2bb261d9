"""The documented metrics.json of yanex: one object for each step, in the order of steps.

    [
      {
        "step": 2,
        "train_loss": 1.6012,
        "val_loss": 1.7234,
        "timestamp": "2024-01-15T10:30:02.456Z",
        "first_timestamp": "2024-01-15T10:30:01.998Z"
      }
    ]

The calls of one step are merged: the last value of a key and the time of the latest write stand; `first_timestamp` is the first write's and stands
on merged records only. What yanex knows nothing of: a point without a step is a record of its own at the end, with `"step": null`; the points of
a rank are records of their own, with `rank`. A metric that is itself called `timestamp` keeps that name, and the record goes without its own.

Cost: linear, and with the encoding less than twice `json.dumps` of the same records.
Source: the yanex document, "Metrics Storage"; the layout is that of `json.dumps(records, indent=2)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from runfolio.convert.view import File, Snapshot
from runfolio.journal.frame import TICK_BITS
from runfolio.store.follow import Call

Key = tuple[int, int] | int  # (step, rank), or the step alone
Record = dict[str, Any]

_RECORD_END = "},\n    {"  # between two records; inside a string a line's end is always escaped
_TICK_END_NS = (1 << TICK_BITS) - 1
_NONFINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def render(snapshot: Snapshot, path: str, options: Mapping[str, Any]) -> Iterator[File]:
    """Give the one file, at `path`."""
    yield File(path, text_of(records_of(snapshot.calls)))


def records_of(calls: Iterable[Call]) -> list[Record]:
    """Merge calls into one record a step, ordered by step; what has no step stands at the end, as it came."""
    merged: dict[Key, Record] = {}
    latest: dict[Key, int] = {}
    first: dict[Key, int] = {}
    finals: list[Call] = []
    for call in calls:
        step, values, time_ns, _, rank, _, _ = call
        if step is None:
            finals.append(call)
            continue
        key = step if rank is None else (step, rank)
        record = merged.get(key)
        if record is None:
            merged[key] = _record(step, rank, values)
        else:
            record.update(values)
            first.setdefault(key, latest[key])
        latest[key] = time_ns
    keys = sorted(merged, key=_place)
    records = [merged[key] for key in keys] + [_record(None, call.rank, call.values) for call in finals]
    _stamp(records, "timestamp", [latest[key] for key in keys] + [call.time_ns for call in finals])
    _stamp([merged[key] for key in first], "first_timestamp", list(first.values()))
    return records


def text_of(records: list[Record]) -> str:
    """Write records as `json.dumps(records, indent=2)` does, strictly, and at the speed it has without an indent."""
    if not records:
        return "[]\n"
    try:
        text = _dumps(records)
    except ValueError:
        text = _dumps([{key: _strict(value) for key, value in record.items()} for record in records])
    inside = text[2:-2].replace(_RECORD_END, "\n  },\n  {\n    ")
    return f"[\n  {{\n    {inside}\n  }}\n]\n"


def _record(step: int | None, rank: int | None, values: Mapping[str, Any]) -> Record:
    return {"step": step, **values} if rank is None else {"step": step, "rank": rank, **values}


def _place(key: Key) -> tuple[int, int]:
    return (key, -1) if isinstance(key, int) else key


def _stamp(records: list[Record], name: str, times_ns: list[int]) -> None:
    """Set a time on each record: ISO 8601, UTC, milliseconds, Z.

    A journal cuts times to its ticks of a microsecond: the latest time that the tick may mean is shown, so that a whole millisecond stays one.
    """
    times = (np.array(times_ns, dtype=np.int64) + _TICK_END_NS).astype("datetime64[ns]").astype("datetime64[ms]")
    for record, text in zip(records, np.datetime_as_string(times, timezone="UTC").tolist(), strict=True):
        record.setdefault(name, text)


def _dumps(records: list[Record]) -> str:
    return json.dumps(records, separators=(",\n    ", ": "), allow_nan=False, ensure_ascii=False)


def _strict(value: Any) -> Any:
    return value if type(value) is not float or value - value == 0 else _NONFINITE[repr(value)]
