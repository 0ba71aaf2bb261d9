"""Params on a command line: the documented reading of each text."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import InvalidValue
from runfolio.model.params import parse_text, same

words = st.text("abcxyz_-/", min_size=1, max_size=6).filter(lambda word: isinstance(parse_text(word), str))
typed = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), words),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


def written(value: Any) -> str:
    """Write a value as somebody would type it."""
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20", 20), ("-3", -3), ("+7", 7), ("0", 0), ("-0", 0), ("9" * 40, int("9" * 40)), (" 5 ", 5),
        ("0.005", 0.005), (".5", 0.5), ("2.", 2.0), ("1e-3", 0.001), ("1E5", 1e5), ("-0.0", -0.0), ("1.5e+3", 1500.0),
        ("nan", math.nan), ("NaN", math.nan), ("inf", math.inf), ("-inf", -math.inf), ("+Infinity", math.inf),
        ("true", True), ("False", False), ("null", None), ("None", None), ("TRUE", True),
        ("[]", []), ("[ ]", []), ("[1, 2.0, x]", [1, 2.0, "x"]), ("[[1], []]", [[1], []]), ("[a]", ["a"]),
        ("['a, b', \"]\", c]", ["a, b", "]", "c"]), ("[[x, ', ]'], y]", [["x", ", ]"], "y"]),
        ("[don't, can't]", ["don't", "can't"]),
        ("'5'", "5"), ('"true"', "true"), ("''", ""), ('" x "', " x "), ("'[1]'", "[1]"),
        ("adam", "adam"), ("", ""), ("  ", "  "), (" a b ", " a b "), ("007", "007"), ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("1e", "1e"), ("e5", "e5"), (".", "."), ("-", "-"), ("--", "--"), ("1.2.3", "1.2.3"), ("٣", "٣"),
        ("1,2", "1,2"),
        ("[a, , b]", "[a, , b]"), ("[a][b]", "[a][b]"), ("[a", "[a"), ("[1,]", "[1,]"), ("['a]", "['a]"),
        ("]", "]"), ("[", "["),
        ("'a'b'", "'a'b'"), ("'", "'"), ("\"a'", "\"a'"), ('{"a": 1}', '{"a": 1}'), ("nancy", "nancy"),
        ("infinite", "infinite"),
        ("$(touch x)", "$(touch x)"), ("a=b", "a=b"), ("5\n", 5), ("a\nb", "a\nb"),
    ],
    ids=lambda value: ascii(value)[:30],
)  # fmt: skip
def test_S0_22_documented_readings(text: str, value: Any) -> None:
    """Each text is the value that the documentation gives it, of that kind."""
    assert same(parse_text(text), value)


@given(typed)
def test_S0_22_what_is_typed_is_read(value: Any) -> None:
    """Numbers, bools, null, words and lists of them come back as the values they were written from."""
    assert same(parse_text(written(value)), value)


@given(st.text(max_size=30))
def test_S0_22_text_is_never_changed(text: str) -> None:
    """What is no number, word, list or quoted text is the text itself, to the last space; no text is an error."""
    found = parse_text(text)
    if isinstance(found, str) and not (text.strip()[:1] in "\"'" and len(text.strip()) > 1):
        assert found == text


@given(st.text(st.characters(exclude_characters="'"), max_size=30))
def test_S0_22_quotes_keep_any_text(text: str) -> None:
    """Quotes make text of anything, alone and in a list."""
    assert parse_text(f"'{text}'") == text
    assert parse_text(f"[1, '{text}']") == [1, text]


@pytest.mark.parametrize(
    "text", ["1e400", "-1e999", "9" * 5_000, "[1, 1e400]", "[" * 61 + "]" * 61, "[" * 9_000 + "]" * 9_000]
)
def test_S0_22_numbers_beyond_reach_are_refused(text: str) -> None:
    """A number that no float or int here can carry is refused, not turned into infinity; so are endless lists."""
    with pytest.raises(InvalidValue, match="quote"):
        parse_text(text)
