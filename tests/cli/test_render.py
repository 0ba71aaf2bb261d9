"""Single values, text and tables as a terminal shows them."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.cli.render import values
from runfolio.cli.render.json_text import strict
from runfolio.cli.render.runs import points_aligned
from runfolio.cli.render.screen import Screen
from runfolio.cli.render.spreadsheet import csv_text
from runfolio.cli.render.table import Column, boxed_table, column, fitting, plain_table
from runfolio.cli.render.text import pad, shorten, width
from runfolio.model.strict_json import unview

PLAIN = Screen(80, False, False)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.7312, "1.73"), (0.62, "0.62"), (0.6234567, "0.6235"), (1.5, "1.50"), (-12.345, "-12.35"), (123456.789, "123456.79"),
        (1234567.0, "1.235e+06"), (1e-5, "1e-05"), (0.0, "0.00"), (-0.0, "-0.00"), (0.99999, "1.00"), (0.5, "0.50"), (5e-324, "4.941e-324"),
        (math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"), (3, "3"), (2**62, "4611686018427387904"), (True, "true"),
        (False, "false"), (None, "-"),
    ],
)  # fmt: skip
def test_numbers_are_short_and_keep_their_kind(value: float | None, text: str) -> None:
    """Two decimals from 1 on, two to four digits below; ints whole, bools as words, what is missing as `-`."""
    assert values.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0s"), (3.21, "3.2s"), (59.9, "59s"), (60, "1m 00s"), (125, "2m 05s"), (7_384, "2h 03m"), (90_000, "1d 01h"),
        (None, "-"), (math.nan, "-"), (-5.0, "0.0s"),
    ],
)  # fmt: skip
def test_spans_have_two_units(seconds: float | None, text: str) -> None:
    """A duration shows its two largest units, and never less than nothing."""
    assert values.span(seconds) == text


def test_times_are_utc_to_the_millisecond() -> None:
    """A time for programs is ISO 8601 with a trailing Z; one that no calendar has does not raise."""
    assert values.utc(values.at(1_705_314_601_234_999_999)) == "2024-01-15T10:30:01.234Z"
    assert values.utc(None) is None
    assert str(values.utc(values.at(2**63 - 1)))[:4] == "2262" and values.moment(values.at(-(2**63)))[:4] == "1677"
    assert (values.age(59), values.age(3_600), values.age(-1), values.age(8e5)) == ("59s", "1h", "0s", "9d")
    assert (values.size(0), values.size(1536), values.size(3 << 30)) == ("0 B", "1.5 KiB", "3.0 GiB")


@given(ANY_TEXT, st.integers(1, 40))
def test_F44_any_text_fits_its_cell(text: str, limit: int) -> None:
    """Whatever a name holds, its cell has no control character and no more cells than asked for."""
    shown = shorten(text, limit)
    assert width(shown) <= limit
    assert width(pad(shown, limit)) == width(pad(shown, limit, right=True)) == limit
    assert all(char.isprintable() or char in "\u200c\u200d" for char in shown)
    if text.isascii() and text.isprintable():
        assert shown == (text if len(text) <= limit else text[: max(limit - 3, 0)] + "..."[:limit])


def test_text_is_measured_in_cells() -> None:
    """Wide characters take two cells, combining marks none; what is cut says so by `...`."""
    assert (width("loss"), width("損失"), width("e\u0301"), width("🧪")) == (4, 4, 1, 2)
    assert shorten("損失関数の値", 8) == "損失..."
    assert shorten("\x1b[2J", 40) == "\\x1b[2J"


def test_columns_fit_or_are_hidden() -> None:
    """Columns are taken from the first on, as many as fit."""
    columns = [column(title, ["1"]) for title in ("aaaa", "bbbb", "cccc")]
    assert [fitting(columns, room) for room in (3, 4, 9, 10, 15, 16)] == [0, 1, 1, 2, 2, 3]


def test_plain_table() -> None:
    """Columns stand under their titles, numbers to the right."""
    columns = [column("name", ["損失", "a"]), column("value", ["1.50", "-"], right=True)]
    assert plain_table(columns, PLAIN) == ["name  value", "損失   1.50", "a         -"]


def test_decimal_points_stand_under_each_other() -> None:
    """Numbers with fewer decimals are padded behind; what has none, and exponents, are left alone."""
    assert points_aligned(["0.9666", "0.93", "-", "7", "1e-05"]) == ["0.9666", "0.93  ", "-", "7", "1e-05"]
    assert points_aligned(["0.9666", "0.93"], [" ", "*"]) == ["0.9666 ", "0.93*  "]


def test_colours_do_not_shift_columns() -> None:
    """A coloured cell is padded before it is coloured."""
    columns = [Column("a", ["x", "yy"], False, ["31", ""]), column("b", ["1", "2"])]
    lines = plain_table(columns, Screen(80, True, True))
    assert lines[1:] == ["\x1b[31mx \x1b[0m  1", "yy  2"]


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=4), ANY_TEXT, st.integers(20, 120))
def test_every_line_of_a_box_is_as_wide_as_the_others(cells: list[tuple[str, str]], title: str, wide: int) -> None:
    """A box has straight sides, whatever stands in it."""
    columns = [column(one, [other], limit=12) for one, other in cells]
    lines = boxed_table(title, columns, Screen(wide, False, False))
    assert len({width(line) for line in lines}) == 1
    assert len(lines) == 5 and lines[0][0] + lines[0][-1] + lines[-1][0] + lines[-1][-1] == "╭╮╰╯"


@given(st.lists(st.lists(st.one_of(ANY_TEXT, st.integers(), st.floats(allow_nan=False)), min_size=2, max_size=2)))
def test_csv_reads_back(rows: list[list[object]]) -> None:
    """Another CSV reader gives back each cell: text as it was, numbers exactly."""
    text = csv_text(["a", "b"], rows)
    found = list(csv.reader(io.StringIO(text, newline="")))
    assert found == [["a", "b"], *([values.param(cell) for cell in row] for row in rows)]
    assert text.count("\r\n") >= len(rows) + 1


def test_A33_csv_formulas_are_defused_on_request() -> None:
    """For a spreadsheet, text that would be a formula gets a quote before it; numbers stay numbers."""
    row = ["=1+1", "+a", "-b", "@c", "\td", "plain", -1.5]
    assert csv_text(["=x"], [row], spreadsheet=True) == "'=x\r\n'=1+1,'+a,'-b,'@c,'\td,plain,-1.5\r\n"
    assert csv_text(["=x"], [row]).startswith("=x\r\n=1+1,+a")


def test_json_tells_infinities_from_text() -> None:
    """NaN and infinities are text in strict JSON, and `nonfinite` names where; the text "NaN" stays text."""
    facts = {"a": math.nan, "b": ["NaN", -math.inf], "c": 1}
    ready = strict(facts)
    text = json.dumps(ready, allow_nan=False)
    assert ready["nonfinite"] == ["a", "b.1"]
    back = unview(json.loads(text), ready["nonfinite"])
    assert math.isnan(back["a"]) and back["b"] == ["NaN", -math.inf]
