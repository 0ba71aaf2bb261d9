"""JSON that any strict parser reads, and that gives every value back bit for bit."""

from __future__ import annotations

import json
import math
import re
import struct
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.errors import InvalidValue, Unreadable
from runfolio.model.strict_json import DEPTH_MAX, dumps, dumps_view, loads, unview, view

# A high surrogate before a low one is the same JSON as the one character they make, so texts here have none of these.
text = st.text(st.characters()).filter(lambda found: not re.search("[\ud800-\udbff][\udc00-\udfff]", found))
keys = st.one_of(text, st.sampled_from(["$float", "$", "$$float", "$$", "a.b", ".", "\\", "\\e", "\\.", "", "0", "1"]))
atoms = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**40), 10**40), st.floats(), text,
    st.sampled_from(["NaN", "Infinity", "-Infinity", "$float"]),
)  # fmt: skip
values = st.recursive(
    atoms, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)), max_leaves=12
)


def exact(value: Any) -> Any:
    """Turn a value into one that is equal only to the very same: kinds, -0.0 and NaN told apart."""
    if isinstance(value, float):
        return ("f", "nan" if math.isnan(value) else struct.pack(">d", value))
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    return (type(value).__name__, value)


def refuse(name: str) -> Any:
    """Fail on a bare NaN, as a strict parser does."""
    raise AssertionError(f"bare {name}")


def nested(depth: int) -> list[Any]:
    """Return lists in lists."""
    found: list[Any] = []
    for _ in range(depth - 1):
        found = [found]
    return found


@settings(max_examples=500)
@given(values)
def test_F40_F41_journal_json_round_trips(value: Any) -> None:
    """Whatever JSON has a form for comes back as it was: floats bit for bit, ints of any size, keys with any text."""
    assert exact(loads(dumps(value))) == exact(value)
    assert exact(loads(dumps(value).decode())) == exact(value)


@settings(max_examples=500)
@given(values)
def test_F40_views_round_trip(value: Any) -> None:
    """A view with its paths is the value again, and the text "NaN" stays text."""
    ready, paths = view(value)
    again = json.loads(dumps_view(ready), parse_constant=refuse)
    assert exact(unview(again, paths)) == exact(value)
    assert len(set(paths)) == len(paths)


@given(values)
def test_F40_output_is_strict(value: Any) -> None:
    """Both forms are UTF-8 without bare NaN, whatever is inside."""
    for data in (dumps(value), dumps_view(view(value)[0]).encode(), dumps_view(view(value)[0], indent=2).encode()):
        json.loads(data.decode("utf-8"), parse_constant=refuse)
    assert b"\n" not in dumps(value)


@given(st.recursive(st.floats() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=8))
def test_F40_a_parser_in_another_language_reads_it(value: Any) -> None:
    """orjson, which is strict and not Python, reads the same view."""
    ready, _ = view(value)
    assert exact(orjson.loads(dumps_view(ready))) == exact(ready)


@pytest.mark.parametrize(
    "value", [-0.0, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 0.1, math.inf, -math.inf]
)
def test_F40_hard_floats_come_back(value: float) -> None:
    """Signed zero, the smallest and the largest floats and the infinities keep each bit."""
    assert struct.pack(">d", loads(dumps(value))) == struct.pack(">d", value)
    assert struct.pack(">d", unview(*view(value))) == struct.pack(">d", value)


def test_documented_forms() -> None:
    """The forms are those that docs/formats/journal.md names."""
    assert dumps({"a": [math.nan, math.inf, -math.inf]}) == (
        b'{"a":[{"$float":"NaN"},{"$float":"Infinity"},{"$float":"-Infinity"}]}'
    )
    assert dumps({"$float": 1, "$$": 2}) == b'{"$$float":1,"$$$":2}'
    assert dumps("é\udc80") == '"é\\udc80"'.encode()
    assert loads(b'{"$later": {"$x": 1}}') == {"$later": {"$x": 1}}


def test_view_paths() -> None:
    """Paths are keys and positions joined by dots; a dot in a key is told from one between keys."""
    ready, paths = view({"metrics": {"loss": {"last": math.nan}, "a.b": [1, math.inf]}, "text": "NaN", "": -math.inf})
    assert ready == {"metrics": {"loss": {"last": "NaN"}, "a.b": [1, "Infinity"]}, "text": "NaN", "": "-Infinity"}
    assert paths == ["metrics.loss.last", "metrics.a\\.b.1", "\\e"]
    assert view(math.nan) == ("NaN", [""])


@pytest.mark.parametrize(
    "data",
    [
        b"NaN", b"[Infinity]", b'{"a":-Infinity}', b"1e400", b"[-1e999]", b'{"a":1,"a":2}', b"", b"{", b"[1,]", b"\xff",
        b"'a'", b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", '"a"'.encode("utf-16"), b"[" * 100_000, b'{"a":' * 100_000,
        b"9" * 5_000, b'{"$float":"nan"}', b'{"$float":1}', b"[1]x", b'"\n"', dumps([]).replace(b"]", b"]]"),
    ],
    ids=lambda data: ascii(data[:12]),
)  # fmt: skip
def test_A46_what_is_not_strict_is_unreadable(data: bytes) -> None:
    """Bare NaN, floats beyond float64, a key twice, endless nesting, wrong encodings: one error, and no crash."""
    with pytest.raises(Unreadable, match="strict JSON"):
        loads(data)


@given(st.binary(max_size=60))
def test_A46_any_bytes_are_read_or_unreadable(data: bytes) -> None:
    """No bytes at all bring up another error."""
    try:
        loads(data)
    except Unreadable:
        pass


def test_depth_has_the_same_bound_on_both_sides() -> None:
    """64 levels are written and read; 65 are refused by the writer and the reader."""
    assert loads(dumps(nested(DEPTH_MAX))) == nested(DEPTH_MAX)
    with pytest.raises(InvalidValue, match="64 levels"):
        dumps(nested(DEPTH_MAX + 1))
    with pytest.raises(Unreadable, match="64 levels"):
        loads("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1))
    circle: list[Any] = []
    circle.append(circle)
    for write in (dumps, view, dumps_view):
        with pytest.raises(InvalidValue):
            write(circle)


@pytest.mark.parametrize(
    "value", [b"x", {1: 2}, {None: 1}, {1}, object(), 1j, 10**4300, [-(10**5000)]], ids=lambda v: type(v).__name__
)
def test_what_json_has_no_form_for_is_refused(value: Any) -> None:
    """Bytes, other keys than text, sets, objects and ints that no reader takes are refused, not bent."""
    for write in (dumps, view):
        with pytest.raises(InvalidValue):
            write(value)


def test_longest_ints_round_trip() -> None:
    """4,300 digits come back."""
    for value in (10**4300 - 1, 1 - 10**4300):
        assert loads(dumps(value)) == value


def test_views_refuse_what_was_not_made_ready() -> None:
    """`dumps_view` writes no bare NaN when somebody forgot `view`."""
    with pytest.raises(InvalidValue, match="JSON"):
        dumps_view({"a": math.nan})
    with pytest.raises(InvalidValue, match="JSON"):
        dumps_view({"a": {1}})


def test_tuples_become_lists() -> None:
    """A tuple is written as a list, a named one too."""
    assert dumps((1, (2,))) == b"[1,[2]]" and view((1, math.nan)) == ([1, "NaN"], ["1"])
