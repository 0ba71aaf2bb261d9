"""Questions and bodies are read strictly."""

from __future__ import annotations

import math
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from runfolio.server import limits
from runfolio.server.answers import encoded, marked
from runfolio.server.asked import Asked, body_of, query_of
from runfolio.server.errors import Refused


class Many(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of all kinds."""

    text: str | None = None
    whole: Annotated[int, Meta(ge=0)] | None = None
    number: Annotated[float, Meta(ge=-1e9, le=1e9)] | None = None
    flag: bool = False
    names: tuple[str, ...] = ()


def test_parameters_become_what_they_are_declared() -> None:
    """Text stays text, also where it looks like something else; numbers, flags and repeated names are read."""
    asked = query_of(b"text=null&whole=7&number=-1.5&flag=true&names=1&names=a+b%26", Many)
    assert asked == Many(text="null", whole=7, number=-1.5, flag=True, names=("1", "a b&"))
    assert query_of(b"", Many) == Many()
    assert query_of(b"text=", Many).text == ""


ODD = (
    b"whole=null number=null number=nan number=inf number=1e400 whole=-1 whole=1.5 whole=+1 whole=0x1 whole= flag=yes flag= text=a&text=b "
    b"other=1 text=% text=%f text=%zz text=%ff text=%00 text=%ed%a0%80 & = Text=a names[]=a"
).split()


@pytest.mark.parametrize("raw", ODD)
def test_odd_parameters_are_refused(raw: bytes) -> None:
    """What is unknown, stands twice, is torn, or is no number where one is due, is refused with 400."""
    with pytest.raises(Refused) as refused:
        query_of(raw, Many)
    assert refused.value.status == 400


def test_a_body_has_few_levels() -> None:
    """A body of as many levels as may be is read; one more is refused."""

    def nested(levels: int) -> bytes:
        return b'{"a":' * levels + b"1" + b"}" * levels

    assert body_of(nested(limits.DEPTH_MAX), dict[str, Any])
    with pytest.raises(Refused, match="levels"):
        body_of(nested(limits.DEPTH_MAX + 1), dict[str, Any])


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """No bytes raise anything but a refusal, as a query or as a body."""
    for read in (lambda: query_of(raw, Many), lambda: body_of(raw, dict[str, Any])):
        try:
            read()
        except Refused as refused:
            assert refused.status == 400


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4) | st.just("$"), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_numbers_are_not_bent_by_json(value: Any) -> None:
    """Whatever is answered with, a reader that knows the marks gets it back, value for value and kind for kind."""
    import json

    def refuse(name: str) -> float:
        raise AssertionError(f"{name} is no strict JSON")

    assert alike(unmarked(json.loads(encoded(value), parse_constant=refuse)), value)


def unmarked(value: Any) -> Any:
    """Undo `marked`, as docs/formats/api.md describes it."""
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["$"]:
        odd = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
        return odd[value["$"]] if value["$"] in odd else int(value["$"])
    return {key[1:] if key.startswith("$") else key: unmarked(item) for key, item in value.items()}


def alike(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return repr(a) == repr(b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


def test_what_json_has_no_form_for_is_our_mistake() -> None:
    """A value that a route should never give is not answered with as something else."""
    with pytest.raises(TypeError):
        marked(object())
