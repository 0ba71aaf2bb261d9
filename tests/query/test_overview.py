"""What a selection of runs is made of."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import runfolio
from query.runs import end_run, make_run, make_store, make_writer
from runfolio.query.run import Run
from runfolio.query.store import Store
from runfolio.query.survey.census import NONE, census_of
from runfolio.query.survey.objective import Objective
from runfolio.query.survey.overview import Overview, overview_of
from runfolio.store.layout import Layout


def add(
    layout: Layout,
    params: dict[str, Any] | None = None,
    metrics: dict[str, Any] | None = None,
    goals: dict[str, str] | None = None,
) -> str:
    """Add a run with params and one point of each metric."""
    run_id, writer = make_run(layout)
    if params:
        writer.event({"type": "params", "set": params})
    for metric, goal in (goals or {}).items():
        writer.event({"type": "goal", "metric": metric, "goal": goal})
    if metrics:
        writer.log(metrics, 0)
    end_run(writer)
    return run_id


def look() -> tuple[Store, Overview]:
    store = runfolio.open_store()
    return store, overview_of(store, store.runs())


def test_what_varies_is_a_column_and_the_rest_is_told_once() -> None:
    """What has several values is a column, what all share is told with its value, what none has is told by name."""
    layout = make_store()
    for number in range(4):
        params = {"lr": 0.1 * number, "opt": "adam", "flag": number > 1, "note": None}
        add(layout, params, {"loss": 1.0 + number, "fixed": 2.0})
    _, found = look()
    told = {one.key: (one.kind, one.filled, one.distinct) for one in found.columns}
    assert told == {
        "metrics.loss.last": ("number", 4, 4),
        "params.lr": ("number", 4, 4),
        "params.flag": ("bool", 4, 2),
    }
    assert dict(found.same) == {"params.opt": "adam", "metrics.fixed.last": 2.0}
    assert found.empty == ["params.note"] and (found.total, found.running) == (4, 0)
    assert found.default[0] == "metrics.loss.last"


def test_a_single_run_shows_its_values() -> None:
    """Where nothing varies the metrics and then the params are the columns, not none."""
    add(make_store(), {"lr": 0.1}, {"loss": 1.0, "acc": 0.5})
    _, found = look()
    assert found.columns == [] and set(found.default[:2]) == {"metrics.loss.last", "metrics.acc.last"}
    assert found.default[2:] == ["params.lr"]


def test_values_are_told_apart_as_params_are() -> None:
    """1, 1.0, True and "1" are four values, NaN is one, and what only some runs have varies."""
    layout = make_store()
    for value in (1, 1.0, True, "1", math.nan, math.nan):
        add(layout, {"p": value})
    add(layout, {"q": 1})
    _, found = look()
    assert {one.key: (one.kind, one.filled, one.distinct) for one in found.columns} == {
        "params.p": ("mixed", 6, 5),
        "params.q": ("number", 1, 1),
    }


_ALL_DECLARED = {"loss": "min", "train/acc": "max", "val/loss": "min", "val/f1": "max"}


@pytest.mark.parametrize(
    ("runs", "objective"),
    [
        ([({"a": 1.0, "b": 1.0}, {"b": "max"})] * 2 + [({"a": 1.0}, {"a": "min"})], Objective("b", "max")),
        ([({"lr": 1.0, "val/acc": 1.0, "loss": 1.0}, {})], Objective("val/acc", "max")),
        ([({"x": 1.0}, {}), ({"y": 1.0}, {}), ({"y": 1.0}, {})], Objective("y", None)),
        ([({"a": 1.0}, {"a": "min"}), ({"a": 1.0}, {"a": "max"})], Objective("a", None)),
        ([({}, {})], None),
        (
            [({"loss": 1.0, "train/acc": 1.0, "val/loss": 1.0, "val/f1": 1.0}, _ALL_DECLARED)],
            Objective("val/f1", "max"),
        ),
    ],
    ids=["declared by most", "well known", "most common", "no agreement", "nothing", "all declared"],
)
def test_the_objective(runs: list[Any], objective: Objective | None) -> None:
    """The objective is declared by most runs, a score on held-out data before others; else well known by name, else what most runs have."""
    layout = make_store()
    for metrics, goals in runs:
        add(layout, None, metrics, goals)
    assert look()[1].objective == objective


def test_what_explains_the_objective_comes_first() -> None:
    """A param that makes the objective weighs about 1, also where the best lies in the middle; one that does not about 0; a seed is told."""
    layout = make_store()
    for number in range(64):
        lr, wide, seed = number % 8, (number * 7) % 3, number // 8
        add(layout, {"lr": lr, "wide": wide, "seed": seed}, {"loss": (lr - 3.5) ** 2 + seed / 1e3, "same": 1.0})
    add(layout, {"lr": 1, "wide": 0, "seed": 9}, {"loss": 1e200})
    _, found = look()
    assert [one.key for one in found.columns][:2] == ["metrics.loss.last", "params.lr"]
    weights = {one.key: one.weight for one in found.columns}
    assert weights["params.lr"] > 0.7 and weights["params.wide"] < 0.2
    assert found.over == ["seed"]


def test_nothing_and_one_run() -> None:
    """No runs have nothing that varies, and one run shares everything with itself."""
    layout = make_store()
    _, found = look()
    assert (found.total, found.columns, found.same, found.default, found.objective) == (0, [], [], [], None)
    add(layout, {"a": 1}, {"m": math.nan})
    _, found = look()
    assert found.columns == [] and dict(found.same).keys() == {"params.a", "metrics.m.last"}


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8).filter(str.strip)


@settings(max_examples=15)
@given(st.lists(st.dictionaries(TEXTS, st.integers(0, 2) | TEXTS | st.booleans() | st.none(), max_size=4), max_size=5))
def test_the_columns_are_those_of_the_runs(each: list[dict[str, Any]]) -> None:
    """Whatever the params are named and hold, a column gives for each run what the run itself says, also after runs came."""
    layout = make_store()
    before = runfolio.open_store().runs(deleted=None)
    store = runfolio.open_store()
    census_of(store).of(store.runs())
    for params in each:
        add(layout, {key.replace(".", "_"): value for key, value in params.items()})
    fresh = runfolio.open_store()
    runs = fresh.runs()
    columns = census_of(fresh).of(runs)
    for place, run in enumerate(runs):
        had = {
            key: column.values[column.codes[place]]
            for key, column in columns.params.items()
            if column.codes[place] >= 0
        }
        assert had == run.flat_params
    assert len(runs) == len(before) + len(each)


def test_a_run_that_changes_is_counted_anew() -> None:
    """A census that is kept takes in a run that went on, and forgets what it had before."""
    layout = make_store()
    run_id, writer = make_run(layout)
    writer.event({"type": "params", "set": {"a": 1}})
    writer.log({"m": 1.0}, 0)
    store = runfolio.open_store()
    census = census_of(store)
    assert census.of([store.run(run_id)]).metrics["m"].values.tolist() == [1.0]
    writer.log({"m": 2.0, "n": 5.0}, 1)
    writer.event({"type": "params", "set": {"b": 2}})
    columns = census.of([store.run(run_id)])
    assert {name: one.values.tolist() for name, one in columns.metrics.items()} == {"m": [2.0], "n": [5.0]}
    assert columns.params["b"].codes.tolist() == [0]
    end_run(writer)


def test_several_ranks_count_by_their_mean() -> None:
    """A metric of several ranks is told by the mean of their last values."""
    layout = make_store()
    run_id, writer = make_run(layout)
    for rank in (0, 1):
        other = make_writer(layout, run_id, rank=rank, role="join")
        other.log({"m": float(rank)}, 0)
        other.close(sync=False)
    end_run(writer)
    store = runfolio.open_store()
    assert census_of(store).of(store.runs()).metrics["m"].values.tolist() == [0.5]


def test_what_a_run_has_no_more_is_forgotten() -> None:
    """A value that a run had, and has no more, is not told of it."""
    layout = make_store()
    run_id = add(layout, {"a": 1}, {"m": 1.0}, {"m": "min"})
    store = runfolio.open_store()
    run = store.run(run_id)
    census = census_of(store)
    assert census.of([run]).goals.codes.tolist() == [0]
    bare = store.run(add(layout))._row
    columns = census.of([Run(store, bare._replace(id=run_id, version=run._row.version + 1))])
    assert columns.params["a"].codes.tolist() == [NONE] and columns.goals.codes.tolist() == [NONE]
    assert columns.metrics["m"].present.tolist() == [False]
