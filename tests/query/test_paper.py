"""Tables for a paper: which digits are shown, what is best, what is not told apart from it, and the hash over all of it."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import runfolio
from runfolio.errors import NotFound, UsageError
from runfolio.query.digits import Shown, alone, with_interval
from runfolio.query.groups import groups
from runfolio.query.paper import MISSING, PaperTable, Recipe, goals_of, paper_table
from runfolio.query.run import Run


def make(value: float, metric: str = "acc", ended: bool = True, **params: Any) -> str:
    """Make a run that ends at a value."""
    run = runfolio.start(params=params, capture=False)
    run.log({metric: value}, step=0)
    if ended:
        run.finish()
    return run.id


def listed() -> list[Run]:
    return list(runfolio.open_store().runs())


def grid(**shift: float) -> None:
    """Make models over five seeds, each a little around its value."""
    for model, value in shift.items():
        for seed in range(5):
            make(value + 0.001 * ((seed * 3 + sum(map(ord, model))) % 5 - 2), model=model, seed=seed)


def texts(table: PaperTable) -> dict[Any, list[str | None]]:
    return {line.labels[0]: [cell and cell.text for cell in line.cells] for line in table.lines}


def best(table: PaperTable, at: int = 0) -> list[Any]:
    """Give the labels of the rows in bold."""
    return [line.labels[0] for line in table.lines if (cell := line.cells[at]) and cell.is_best]


# ------------------------------------------------------------------------------------------------------------ digits


@pytest.mark.parametrize(("mean", "half", "numbers", "exponent"), [
    (0.91337, 0.01234, ("0.913", "0.012"), 0),
    (0.91337, 0.0996, ("0.91", "0.10"), 0),
    (0.9, 0.00012, ("0.90000", "0.00012"), 0),
    (12345.6, 123.0, ("12350", "120"), 0),
    (-1.005, 1.96, ("-1.0", "2.0"), 0),
    (1234567.0, 2345.0, ("1.2346", "0.0023"), 6),
    (0.0000123, 0.0000012, ("1.23", "0.12"), -5),
    (0.001, 0.5, ("0.00", "0.50"), 0),
    (-0.001, 0.5, ("0.00", "0.50"), 0),
])  # fmt: skip
def test_two_digits_of_the_interval(mean: float, half: float, numbers: tuple[str, str], exponent: int) -> None:
    """The interval is shown by two digits, the mean down to the same place; very large and small ones with an exponent."""
    assert with_interval(mean, mean - half, mean + half) == Shown(numbers, exponent)


def test_no_interval_and_none_that_is_symmetric() -> None:
    """Without width the mean keeps its own digits; an interval that is not symmetric is shown by its ends."""
    assert with_interval(0.5, 0.5, 0.5) == Shown(("0.5", "0"))
    assert with_interval(0.0, 0.0, 0.0) == Shown(("0", "0"))
    assert with_interval(0.91337, 0.9, 0.92) == Shown(("0.913", "0.900", "0.920"))
    assert (alone(0.123456), alone(-3.0), alone(0.0)) == (Shown(("0.1235",)), Shown(("-3",)), Shown(("0",)))


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e9))
def test_what_is_shown_is_near(mean: float, half: float) -> None:
    """What is shown lies within half a place of the second digit of the interval, and the interval keeps two digits."""
    found = with_interval(mean, mean - half, mean + half)
    if len(found.numbers) == 3:
        return  # so narrow beside its mean that its ends are rounded
    shown_mean, shown_half = (Decimal(text).scaleb(found.exponent) for text in found.numbers)
    assert abs(shown_half - Decimal(half)) <= Decimal(half) * Decimal("0.06") + abs(Decimal(mean)) * Decimal("1e-6")
    assert abs(shown_mean - Decimal(mean)) <= Decimal(half) * Decimal("0.06") + abs(Decimal(mean)) * Decimal("1e-6")


# -------------------------------------------------------------------------------------------------------------- bold


def test_the_best_and_what_is_not_told_apart_from_it_are_bold() -> None:
    """The best is bold, and so is what lies inside the noise of it; what is really worse is not."""
    grid(mlp=0.80, cnn=0.9, resnet=0.9002)
    table = paper_table(listed(), "params.model", "metrics.acc", "seed", "max")
    assert texts(table) == {
        "cnn": ["0.9000 ± 0.0020 (5)"],
        "mlp": ["0.8000 ± 0.0020 (5)"],
        "resnet": ["0.9002 ± 0.0020 (5)"],
    }
    assert best(table) == ["cnn", "resnet"]
    assert best(paper_table(listed(), "model", "acc", "seed", "min")) == ["mlp"]


def test_bold_agrees_with_the_verdicts() -> None:
    """Bold is what `groups` says, after Holm for all pairs of the column, also where rows are more than compared each with each."""
    grid(**{f"m{number}": 0.9 - 0.0004 * number for number in range(11)})
    found = groups(listed(), "acc", "model", "seed", "max")
    against = {found[pair.b].params["model"]: pair.verdict.word for pair in found.pairs if pair.a == 0}
    table = paper_table(listed(), "model", "acc", "seed", "max")
    assert set(best(table)) == {
        found[0].params["model"],
        *(name for name, word in against.items() if word == "inside the noise"),
    }
    assert 1 < len(best(table)) < 11


def test_below_three_values_nothing_is_told_apart() -> None:
    """Below three values a cell has the values, the best alone is bold, and that is told; an equal one is as good."""
    for model, values in {"a": [0.9, 0.8], "b": [0.95], "c": [0.95]}.items():
        for seed, value in enumerate(values):
            make(value, model=model, seed=seed)
    table = paper_table(listed(), "model", "acc", "seed", "max")
    assert texts(table) == {"a": ["0.8, 0.9 (2)"], "b": ["0.95 (1)"], "c": ["0.95 (1)"]}
    assert best(table) == ["b", "c"]
    assert any("below three values" in note for note in table.notes())


def test_a_lucky_single_run_is_not_the_best() -> None:
    """A setting of one run does not take the bold from those with enough of them."""
    grid(mlp=0.8)
    make(0.99, model="lucky", seed=0)
    assert best(paper_table(listed(), "model", "acc", "seed", "max")) == ["mlp"]


def test_values_that_do_not_vary_are_the_best_only_where_equal() -> None:
    """Where no test is honest for want of spread, only an equal mean is as good as the best."""
    for model, value in {"a": 1.0, "b": 1.0, "c": 0.5}.items():
        for seed in range(3):
            make(value, model=model, seed=seed)
    table = paper_table(listed(), "model", "acc", "seed", "max")
    assert best(table) == ["a", "b"]
    assert texts(table)["a"] == ["1 ± 0 (3)"]


def test_runs_that_do_not_count_are_told() -> None:
    """NaN, running runs and repeats are left out and told; a setting of which nothing is left shows a dash."""
    grid(mlp=0.8)
    for seed in range(3):
        make(math.nan, model="nan", seed=seed)
    make(0.9, model="mlp", seed=9, ended=False)
    table = paper_table(listed(), "model", "acc", "seed", "max")
    assert texts(table)["nan"] == ["-"]
    assert best(table) == ["mlp"]
    assert {"3 runs left out of acc: at NaN", "1 run left out of acc: still running"} <= set(table.notes())
    assert len(table.runs) == 5


# -------------------------------------------------------------------------------------------------- rows and columns


def test_several_rows_and_metrics() -> None:
    """Rows may be made of several params, in the order of their values; each metric has its own goal and aggregate."""
    for model in ("b", "a"):
        for width in (8, 16, None):
            for seed in range(3):
                params = {"model": model, "seed": seed} | ({"net.width": width} if width else {})
                with runfolio.start(params=params, capture=False) as run:
                    run.define("loss", "min")
                    for step, value in enumerate((0.5, 0.9, 0.7)):
                        run.log({"acc": value + seed / 100, "loss": 1 - value}, step=step)
    table = paper_table(listed(), ["model", "width"], ["acc.max", "metrics.loss"], "params.seed", {"acc": "max"})
    assert table.rows == ["model", "net.width"]
    assert [line.labels for line in table.lines] == [
        ("a", 8), ("a", 16), ("a", MISSING), ("b", 8), ("b", 16), ("b", MISSING),
    ]  # fmt: skip
    assert [column.title for column in table.columns] == ["acc.max", "loss"]
    assert [cell and cell.text for cell in table.lines[0].cells] == ["0.910 ± 0.025 (3)", "0.3 ± 0 (3)"]
    assert table.columns[1].groups is not None and table.columns[1].groups.goal == "min"


def test_columns_by_the_values_of_a_param() -> None:
    """With a metric the columns are the values of a param; where a setting or a metric is missing the cell is empty."""
    for dataset, models in {"mnist": "ab", "cifar": "a"}.items():
        for model in models:
            for seed in range(3):
                make(0.5 + seed / 100, model=model, seed=seed, data=dataset)
    make(1, metric="other", model="a", seed=0, data="zoo")
    table = paper_table(listed(), "params.model", "params.data", "seed", "max", metric="metrics.acc")
    assert [column.title for column in table.columns] == ["data=cifar", "data=mnist", "data=zoo"]
    assert texts(table) == {"a": ["0.510 ± 0.025 (3)"] * 2 + [None], "b": [None, "0.510 ± 0.025 (3)", None]}


def test_wrong_calls_are_refused() -> None:
    """What is missing or unknown is told with those like it, and a param as a column with what to add."""
    grid(mlp=0.8)
    runs = listed()
    for rows, cols, error, words in (
        ("mdoel", "acc", NotFound, "'model'"),
        ("model", "ac", NotFound, "'acc'"),
        ("model", "params.seed", UsageError, "--metric"),
        ([], "acc", UsageError, "rows"),
        ("model", "acc", UsageError, "goal"),
    ):
        with pytest.raises(error, match=words):
            paper_table(runs, rows, cols, "seed", None if words == "goal" else "max")
    with pytest.raises(NotFound, match="no run fits"):
        paper_table([], "model", "acc")
    with pytest.raises(NotFound, match="'acc'"):
        paper_table(runs, "model", "seed", goal="max", metric="ac")
    with pytest.raises(UsageError, match="rows and columns"):
        paper_table(runs, "model", "model", goal="max", metric="acc")
    with pytest.raises(UsageError, match="one param"):
        paper_table(runs, "model", ["seed", "x"], goal="max", metric="acc")


def test_goals_by_metric() -> None:
    """A goal is told for all metrics or for each."""
    assert (goals_of(None), goals_of("max")) == (None, "max")
    assert goals_of("metrics.acc=max, loss=min") == {"acc": "max", "loss": "min"}
    with pytest.raises(UsageError, match="acc=up"):
        goals_of("acc=up")


# -------------------------------------------------------------------------------------------------------------- hash


def test_the_hash_is_of_runs_and_numbers() -> None:
    """The same runs give the same hash, in whatever order; another run, another number and another bold give another one."""
    grid(mlp=0.8, cnn=0.9)
    runs = listed()

    def digest(given: list[Run], goal: str = "max") -> str:
        return paper_table(given, "model", "acc", "seed", goal).digest

    assert digest(runs) == digest(runs[::-1])
    assert len({digest(runs), digest(runs[1:]), digest(runs, "min")}) == 3
    last = runs[0]
    make(last.metrics["acc"].last, **last.flat_params)  # type: ignore[arg-type]
    assert digest(listed()) != digest(runs)
    assert digest([run for run in listed() if run.id != last.id]) != digest(runs)
    make(0.5, model="mlp", seed=77, ended=False)
    runs = listed()[1:]
    assert digest(listed()) == digest(runs)


def test_a_recipe_makes_the_same_table_again() -> None:
    """What a table is made from survives JSON, filter and all."""
    grid(mlp=0.8, cnn=0.9)
    recipe = Recipe(["model"], ["acc"], None, ["seed"], "max", "0", 'model != "cnn"')
    table = Recipe(**json.loads(json.dumps(recipe._asdict()))).make(runfolio.open_store())
    assert list(texts(table)) == ["mlp"]
    assert table.digest == recipe.make(runfolio.open_store()).digest
