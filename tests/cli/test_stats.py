"""`runfolio stats`: groups over seeds, and a verdict for each pair."""

from __future__ import annotations

import csv
import io
import math

import pytest

from cli.calling import call, fine, settled, start


def grid() -> None:
    """Make three settings: one clearly better, one of two seeds only, one run at NaN."""
    accs = {0.1: (0.50, 0.51, 0.52, 0.50, math.nan), 0.01: (0.90, 0.92, 0.91, 0.90, 0.93), 0.001: (0.7, 0.71)}
    for lr, values in accs.items():
        for seed, acc in enumerate(values):
            with start(name=f"lr{lr}-{seed}", params={"lr": lr, "seed": seed, "opt": "adam"}) as run:
                run.define("acc", "max")
                run.log({"acc": acc, "loss": 1 - acc, "dip": -acc}, step=1)


GOLDEN = """\
acc, the last value of each run, highest is best; the params that vary inside are seed

lr     n          mean  95 % interval          sd  median    IQM  best  worst
0.01   5         0.912  0.8958 … 0.9282  0.01304    0.91   0.91   0.93    0.9
0.001  2  0.7 and 0.71  -                       -       -      -  0.71    0.7
0.1    4        0.5075  0.4923 … 0.5227  0.009574   0.505  0.505  0.52    0.5

lr=0.01 against lr=0.001: cannot be settled with n = 2 here
lr=0.01 is better than lr=0.1 (difference 0.4, 95 % interval 0.387 … 0.413; Student's paired t-test of 4 pairs, p <
  0.001; d_z = 48.99)
lr=0.001 against lr=0.1: cannot be settled with n = 2 here

! 1 run at NaN, left out: abc12345 lr0.1-4.
"""


def test_the_table_and_the_verdicts() -> None:
    """Groups stand with the best first, those of two seeds with their values; a verdict in words for each pair; what is left out by name."""
    grid()
    assert settled(fine("stats", "acc").out) == GOLDEN
    told = settled(fine("stats", "acc", "--by", "lr", "--over", "seed").out)
    assert told == GOLDEN.replace("the params that vary inside are seed", "over seed")


def test_the_goal_turns_the_verdict() -> None:
    """Where low is better the order and the words turn; without a declared goal one is asked for."""
    grid()
    assert "lr=0.1 is better than lr=0.01" in fine("stats", "acc", "--goal", "min").out.replace("\n  ", " ")
    called = call("stats", "loss")
    assert called.code == 2 and "no run declares its goal" in called.err


@pytest.mark.parametrize("columns", [30, 50, 80, 200])
def test_every_screen_is_enough(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is wider than the screen, what does not fit is told, and --wide shows it; the verdicts are always there."""
    grid()
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = fine("stats", "acc").lines
    assert max(map(len, lines)) <= columns
    text = " ".join(line.strip() for line in lines)
    assert ("--wide shows all" in text) == (columns < 80)
    assert "lr=0.01 is better than lr=0.1" in text
    assert any(line.endswith("worst") for line in fine("stats", "acc", "--wide").lines)


def test_where_not_even_the_names_fit_groups_become_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups by params with long values are told in lines of their own on a narrow screen."""
    for seed in range(3):
        with start(params={"a_long_name": "x" * 16, "other_name": f"{'y' * 10}{seed % 1}", "seed": seed}) as run:
            run.log({"acc": seed})
        with start(params={"a_long_name": "z" * 16, "other_name": "y" * 12, "seed": seed}) as run:
            run.log({"acc": seed + 1})
    monkeypatch.setenv("COLUMNS", "30")
    lines = fine("stats", "acc", "--goal", "max").lines
    assert max(map(len, lines)) <= 30
    assert any("n = 3" in line for line in lines)


def test_json() -> None:
    """JSON has the groups in order, each pair by their places with its verdict, and what was left out by id."""
    grid()
    facts = fine("stats", "acc", "--by", "lr", "--json").json
    assert [group["params"] for group in facts["groups"]] == [{"lr": 0.01}, {"lr": 0.001}, {"lr": 0.1}]
    assert [group["n"] for group in facts["groups"]] == [5, 2, 4]
    assert facts["groups"][1]["mean"] is None and sorted(facts["groups"][1]["values"]) == [0.7, 0.71]
    assert facts["groups"][0]["interval"]["method"] == "Student t"
    assert [(pair["a"], pair["b"], pair["verdict"]) for pair in facts["comparisons"]] == [
        (0, 1, "cannot be settled"), (0, 2, "better"), (1, 2, "cannot be settled"),
    ]  # fmt: skip
    pair = facts["comparisons"][1]
    assert pair["paired"] and pair["test"] == "Student's paired t-test" and pair["n_a"] == 4
    assert pair["p"] <= pair["p_cautious"] <= pair["p_holm"] < 0.05
    assert (facts["over"], facts["over_found"], facts["goal"]) == (["seed"], True, "max")
    assert [len(ids) for ids in facts["left_out"].values()] == [1]


def test_csv_and_markdown() -> None:
    """CSV has a row for each group with the verdict against the best; Markdown a table and lists, names kept from being read as marks."""
    grid()
    rows = list(csv.DictReader(io.StringIO(fine("stats", "acc", "--by", "lr", "--csv").out)))
    assert [(row["params.lr"], row["n"], row["nan"], row["verdict"]) for row in rows] == [
        ("0.01", "5", "0", ""), ("0.001", "2", "0", "cannot be settled"), ("0.1", "4", "1", "worse"),
    ]  # fmt: skip
    lines = fine("stats", "acc", "--markdown").lines
    assert lines[0].startswith("acc, the last value of each run, highest is best")
    assert lines[2].startswith("| lr | n | mean | 95 % interval |") and lines[3].startswith("| --- | --: |")
    assert len(lines) == 2 + 5 + 1 + 3 + 2 and lines[-3].startswith("- lr=0.001 against")
    assert lines[-1].startswith("- ! 1 run at NaN, left out")
    with start(params={"a|b": "*x*", "seed": 1}) as run:
        run.log({"acc": 1})
    assert "a\\|b" in fine("stats", "acc", "--by", "a|b", "--markdown").out
    assert call("stats", "acc", "--markdown", "--csv").code == 2


def test_filter_and_number() -> None:
    """--filter and --experiment narrow the runs, --at chooses the number of a run; what no run fits is told."""
    grid()
    facts = fine("stats", "acc", "--filter", "params.lr < 0.05", "--at", "best", "--json").json
    assert (len(facts["groups"]), facts["at"]) == (2, "best")
    assert fine("stats", "acc", "--at", "1", "--by", "lr", "--json").json["at"] == "step 1"
    assert call("stats", "acc", "--experiment", "nobody").code == 1
    assert call("stats", "acc", "--filter", "params.lr > 7").code == 1
    assert call("stats", "acc", "--at", "lsat").code == 2


def test_several_params_and_names_with_a_prefix() -> None:
    """--by takes several params with commas or again, and the prefix that filters use."""
    grid()
    for told in (("lr,opt",), ("params.lr", "opt")):
        arguments = [part for one in told for part in ("--by", one)]
        assert fine("stats", "acc", *arguments, "--json").json["by"] == ["lr", "opt"]
    called = call("stats", "acc", "--by", "lrr")
    assert called.code == 1 and "'lr'" in called.err


def test_nothing_to_group() -> None:
    """Without runs, or without the metric, it ends with 1 and says what there is."""
    called = call("stats", "acc")
    assert called.code == 1 and "no runs yet" in called.err
    grid()
    called = call("stats", "ac")
    assert called.code == 1 and "'acc'" in called.err


def test_params_that_vary_inside_are_told() -> None:
    """Groups of more than one setting carry a warning, and so do runs that did not finish."""
    for seed in range(3):
        run = start(params={"lr": 0.1, "width": seed % 2, "seed": seed})
        run.log({"acc": seed})
        run.finish("failed" if seed == 2 else "finished")
    out = fine("stats", "acc", "--by", "lr", "--goal", "max").out
    assert "! Inside the groups other params vary too: width." in out
    assert "! 1 run not finished, counted: " in out


def test_names_are_safe_for_a_terminal() -> None:
    """Control characters in params, runs and metrics never reach the terminal."""
    for seed in range(3):
        for value in ("\x1b[31ma", "b"):
            with start(name="\x1b[2J", params={"\x1b]0;x": value, "seed": seed}) as run:
                run.log({"\x1b[1m": float("nan") if seed == 2 else seed})
    for form in ((), ("--markdown",)):
        called = call("stats", "\x1b[1m", "--goal", "max", *form, terminal=True)
        assert called.code == 0
        assert "\x1b[31ma" not in called.out and "\x1b[2J" not in called.out and "\x1b]0" not in called.out
