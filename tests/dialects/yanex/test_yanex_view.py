"""metrics.json as a rendering of calls: merged, ordered, strict, and never changed by what yanex does not know."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runfolio.convert.views.yanex import records_of, text_of
from runfolio.store.follow import Call

T0 = 1_705_314_601_234_000_000  # 2024-01-15T10:30:01.234Z
MS = 1_000_000

keys = st.text(min_size=1, max_size=8).filter(lambda key: key != "step" and "\0" not in key)
numbers = st.floats() | st.integers(-(2**53), 2**53) | st.booleans()
logged = st.lists(st.tuples(st.integers(-3, 5), st.dictionaries(keys, numbers, min_size=1, max_size=3)), max_size=20)


def call(step: int | None, values: dict[str, Any], time_ns: int = T0, rank: int | None = None) -> Call:
    return Call(step, values, time_ns, 1, rank, "w", 0)


def shown(value: Any) -> Any:
    """Give a number as it stands in strict JSON."""
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), value)


@given(logged)
def test_a_dict_of_dicts_agrees(calls: list[tuple[int, dict[str, Any]]]) -> None:
    """Whatever is logged, the file says what a dict of steps would, updated call by call; it is JSON with an indent of two."""
    oracle: dict[int, dict[str, Any]] = {}
    for step, values in calls:
        oracle.setdefault(step, {}).update(values)
    text = text_of(records_of(call(step, values, T0 + at * MS) for at, (step, values) in enumerate(calls)))
    found = json.loads(text, parse_constant=lambda name: 1 / 0)
    assert text == json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    assert [record.pop("step") for record in found] == sorted(oracle)
    for record, (_, values) in zip(found, sorted(oracle.items()), strict=True):
        for ours in {"timestamp", "first_timestamp"} - values.keys():
            record.pop(ours, None)
        assert repr(record) == repr({key: shown(value) for key, value in values.items()})


def test_no_call_is_an_empty_array() -> None:
    """A run without metrics has an empty array."""
    assert text_of(records_of([])) == "[]\n"


def test_keys_cannot_break_the_layout() -> None:
    """A key that looks like the end of a record, or holds a line's end, is text as any other."""
    odd = "},\n    {"
    found = records_of([call(1, {odd: 1.0, '"': 2, "ü": math.nan}), call(2, {odd: 2.0})])
    assert json.loads(text_of(found)) == [
        {"step": 1, odd: 1.0, '"': 2, "ü": "NaN", "timestamp": "2024-01-15T10:30:01.234Z"},
        {"step": 2, odd: 2.0, "timestamp": "2024-01-15T10:30:01.234Z"},
    ]


def test_what_yanex_does_not_know_stands_by_itself() -> None:
    """A rank's points are records of their own; points without a step never merge and stand at the end, in their order."""
    calls = [
        call(None, {"test": 1.0}),
        call(1, {"loss": 0.5}, rank=1),
        call(1, {"loss": 0.4}, rank=0),
        call(None, {"test": 2.0}),
        call(1, {"lr": 0.1}, rank=1),
        call(0, {"loss": 0.9}),
    ]
    times = ("timestamp", "first_timestamp")
    assert [{key: value for key, value in record.items() if key not in times} for record in records_of(calls)] == [
        {"step": 0, "loss": 0.9},
        {"step": 1, "rank": 0, "loss": 0.4},
        {"step": 1, "rank": 1, "loss": 0.5, "lr": 0.1},
        {"step": None, "test": 1.0},
        {"step": None, "test": 2.0},
    ]


def test_times_of_a_merged_record() -> None:
    """Three writes of a step: `timestamp` is the third's, `first_timestamp` the first's; a metric of that name keeps it."""
    calls = [call(1, {"a": 1}, T0), call(1, {"b": 2}, T0 + 5 * MS), call(1, {"c": 3}, T0 + 9 * MS)]
    (merged,) = records_of(calls)
    assert (merged["first_timestamp"], merged["timestamp"]) == ("2024-01-15T10:30:01.234Z", "2024-01-15T10:30:01.243Z")
    (own,) = records_of([call(1, {"timestamp": 0.25})])
    assert own == {"step": 1, "timestamp": 0.25}


def test_a_tick_of_the_journal_changes_no_millisecond() -> None:
    """A time that the journal has cut to its tick shows the millisecond that it had before."""
    (record,) = records_of([call(1, {"a": 1}, T0 - 1000)])
    assert record["timestamp"] == "2024-01-15T10:30:01.234Z"
