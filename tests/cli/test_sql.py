"""`runfolio sql`: forms, errors, and bounds that hold where an interruption does not reach."""

from __future__ import annotations

import math

import pytest

from cli.calling import call, fine, spawn, start


@pytest.fixture(autouse=True)
def _runs():
    for name in ("a", "b"):
        with start(name=name, params={"lr": 0.1}) as run:
            run.log({"loss": math.nan}, step=0)
            run.log({"loss": 0.25}, step=1)


def test_a_table_for_people():
    """Rows stand in a plain table; numbers are exact, and nothing is `-`."""
    out = fine("sql", "select name, 0.1 + 0.2 as x, null as y from runs order by name").lines
    assert [line.split() for line in out] == [["name", "x", "y"], ["a", "0.3", "-"], ["b", "0.3", "-"]]


def test_json_is_strict_and_says_where_numbers_were_no_numbers():
    """--json is a list of objects; NaN is text, and `nonfinite` tells it from text."""
    found = fine("sql", "select value, time, 'NaN' t from points where name = 'a' order by step", "--json").json
    assert [(row["value"], row["t"], row["nonfinite"]) for row in found] == [
        ("NaN", "NaN", ["value"]),
        (0.25, "NaN", []),
    ]
    assert found[0]["time"].endswith("Z") and len(found[0]["time"]) == len("2025-01-15T10:30:01.123456789Z")
    assert fine("sql", "select 1 a, 2 a", "--json").json == [{"a": 1, "a_1": 2, "nonfinite": []}]
    assert fine("sql", "select * from runs where false", "--json").json == []


def test_csv_and_markdown():
    """--csv follows RFC 4180, --spreadsheet disarms formulas, --markdown is a table."""
    assert fine("sql", "select name, '=1+1' f from runs order by 1", "--csv").out == "name,f\r\na,=1+1\r\nb,=1+1\r\n"
    assert "'=1+1" in fine("sql", "select '=1+1' f", "--csv", "--spreadsheet").out
    assert fine("sql", "select name, 1 n from runs order by 1", "--markdown").lines[:3] == [
        "| name | n |",
        "| --- | --: |",
        "| a | 1 |",
    ]
    assert call("sql", "select 1", "--csv", "--json").code == 2


def test_long_answers_are_cut_with_a_word():
    """A table has 100 rows unless told; data has all."""
    out = fine("sql", "select range from range(150)").lines
    assert len(out) == 102 and out[-1] == "The first 100 rows; --limit shows more."
    assert len(fine("sql", "select range from range(150)", "--limit", "200").lines) == 151
    assert len(fine("sql", "select range from range(150)", "--json").json) == 150
    assert fine("sql", "select * from runs where false").lines[-1] == "No rows."


def test_what_does_not_fit_is_counted(monkeypatch):
    """On a narrow screen columns are left out, and said so; --wide shows all."""
    monkeypatch.setenv("COLUMNS", "40")
    out = fine("sql", "select repeat('x', 30) a, repeat('y', 30) b").lines
    assert out[-1] == "1 of 2 columns do not fit: --wide shows all."
    assert "y" * 30 in fine("sql", "select repeat('x', 30) a, repeat('y', 30) b", "--wide").out


def test_a_mistake_is_pointed_at():
    """An error exits with 2 and shows the place; names in it cannot reach the terminal raw."""
    called = call("sql", "select nam from runs")
    assert called.code == 2 and called.err.splitlines()[1:] == ["  select nam from runs", "         ^"]
    assert "\x1b" not in call("sql", "select \x1b[31m from runs").err
    assert call("sql", "copy runs to 'x'").code == 2


def test_text_of_runs_is_shown_safely():
    """A name that would move the cursor is shown escaped in a table."""
    with start(name="\x1b[2Jx"):
        pass
    assert "\x1b" not in fine("sql", "select name from runs").out


def test_there_is_no_store(monkeypatch, tmp_path):
    """Without a store the answer is exit code 2."""
    monkeypatch.setenv("RUNFOLIO_DIR", str(tmp_path / "none"))
    assert call("sql", "select 1").code == 2


def test_A16_what_cannot_be_interrupted_ends_all_the_same():
    """A function that allocates or computes without end is stopped by the limits of the process."""
    for query in (
        "select length(repeat('a', 4000000000))",
        "select length(range(1000000000)::varchar)",
        "with recursive t(x, n) as (select 'aaaaaaaaaa', 0 union all select x || x, n + 1 from t where n < 40) select max(length(x)) from t",
    ):
        called = spawn("sql", query, "--time-limit", "3", "--memory", "200")
        assert called.code == 2 and called.err.startswith("runfolio: "), called
