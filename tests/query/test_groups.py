"""Groups of runs over seeds: which runs make one, which do not count, and what a pair comes to."""

from __future__ import annotations

import math
from typing import Any

import pytest

import runfolio
from query.runs import end_run, make_run, make_store
from runfolio.errors import NotFound, UsageError
from runfolio.query.groups import Groups, groups
from runfolio.query.run import Run


def make(
    params: dict[str, Any], *values: float, metric: str = "acc", ended: bool = True, **facts: Any
) -> runfolio.ActiveRun:
    """Make a run that logs values at the steps 0, 1, …"""
    run = runfolio.start(params=params, capture=False, **facts)
    for step, value in enumerate(values):
        run.log({metric: value}, step=step)
    if ended:
        run.finish()
    return run


def listed() -> list[Run]:
    return list(runfolio.open_store().runs())


def grid(seeds: int = 4) -> None:
    """Make two settings over seeds, the second one far better."""
    for seed in range(seeds):
        make({"lr": 0.1, "seed": seed, "opt": {"name": "adam"}}, 0.1, 0.50 + 0.01 * (seed % 3))
        make({"lr": 0.2, "seed": seed, "opt": {"name": "adam"}}, 0.1, 0.90 + 0.01 * (2 * seed % 3))


def words(found: Groups) -> list[str]:
    return [pair.verdict.word for pair in found.pairs]


def test_runs_with_equal_params_but_for_the_seed_are_a_group() -> None:
    """The seed is found by its name; groups stand in the order of the goal, and a pair has its verdict."""
    grid()
    found = groups(listed(), "acc", goal="max")
    assert (found.over, found.over_found, found.varying) == (["seed"], True, ["lr"])
    assert found.over_words == "the params that vary inside are seed"
    assert [(group.params["lr"], group.description.n) for group in found] == [(0.2, 4), (0.1, 4)]
    assert found.pairs[0].difference.paired
    assert words(found) == ["better"]
    assert words(groups(listed(), "acc", goal="min")) == ["better"]
    assert groups(listed(), "acc", goal="min")[0].params["lr"] == 0.1


@pytest.mark.parametrize("name", ["seed", "random_seed", "train.seed", "rng", "RNG_SEED", "random_state", "seed_data"])
def test_a_seed_is_found_by_many_names(name: str) -> None:
    """Params that are named as seeds are found, dotted ones too."""
    for seed in range(3):
        make({"lr": 0.1, name: seed}, seed)
    found = groups(listed(), "acc", goal="max")
    assert (found.over, len(found)) == ([name], 1)


def test_what_varies_inside_is_told_where_nothing_is_named_seed() -> None:
    """With `by` and no seed the params that vary inside are found and told."""
    for trial in range(3):
        make({"lr": 0.1, "trial": trial}, trial)
        make({"lr": 0.2, "trial": trial}, trial + 50)
    found = groups(listed(), "acc", by="lr", goal="max")
    assert (found.over, found.over_words) == (["trial"], "the params that vary inside are trial")
    assert words(found) == ["cannot be settled"]  # the difference is 50 for each trial
    assert len(groups(listed(), "acc", goal="max")) == 6


def test_other_params_that_vary_inside_are_told() -> None:
    """Groups that are not of one setting each say so."""
    for seed in range(3):
        make({"lr": 0.1, "width": seed % 2, "seed": seed}, seed)
    found = groups(listed(), "acc", by=["lr"], over="seed", goal="max")
    assert (found.inside, len(found), found[0].description.n) == (["width"], 1, 3)


def test_names_of_params_may_be_short() -> None:
    """The last part of a dotted key will do where it is unique; an unknown one is told with those like it."""
    grid()
    assert groups(listed(), "acc", by="name", over="seed", goal="max").by == ["opt.name"]
    with pytest.raises(NotFound, match="'lrr'; they have 'lr'"):
        groups(listed(), "acc", by="lrr", goal="max")
    with pytest.raises(UsageError, match="cannot make the groups and vary inside"):
        groups(listed(), "acc", by="seed", over="seed", goal="max")


def test_runs_that_do_not_count_are_named() -> None:
    """Running runs, runs without the metric, NaN, infinite values and repeats are left out by name; failed ones count and are told."""
    kept = make({"lr": 1, "seed": 0}, 0.5)
    left = {
        "running": make({"lr": 1, "seed": 1}, 0.5, ended=False),
        "no value": make({"lr": 1, "seed": 2}, 0.5, metric="other"),
        "NaN": make({"lr": 1, "seed": 3}, math.nan),
        "infinite": make({"lr": 1, "seed": 4}, math.inf),
    }
    left["repeated"] = kept
    newer = make({"lr": 1, "seed": 0}, 0.6)
    failed = make({"lr": 1, "seed": 5}, 0.7, ended=False)
    failed.finish("failed")
    found = groups(listed(), "acc", goal="max")
    assert {reason: [run.id for run in runs] for reason, runs in found.left_out.items()} == {
        reason: [run.id] for reason, run in left.items()
    }
    assert [run.id for run in found.told["unfinished"]] == [failed.id]
    assert [run.id for run in found[0].runs] == [failed.id, newer.id]
    assert (found[0].description.nans, found[0].description.infinite) == (1, 1)


def test_runs_without_any_seed_are_draws_of_their_own() -> None:
    """Where nothing varies inside, equal runs are not repeats: they are all there is."""
    for value in (1, 2, 3):
        make({"lr": 0.1}, value)
    found = groups(listed(), "acc", goal="max")
    assert (found.over, found.over_words, found[0].description.n) == ([], "no param varies inside", 3)


@pytest.mark.parametrize(("at", "value"), [
    ("last", 2), ("first", 1), ("min", 1), ("max", 9), ("best", 9), ("mean", 4), ("median", 2), ("auc", 10.5), (1, 9),
])  # fmt: skip
def test_the_number_of_a_run_is_chosen(at: str | int, value: float) -> None:
    """A run counts with its last value, another number of its curve, or the value at a step."""
    make({"lr": 1}, 1, 9, 2)
    assert groups(listed(), "acc", goal="max", at=at)[0].description.values.tolist() == [value]


def test_the_number_of_a_run_may_be_told_by_a_function() -> None:
    """A function of the run gives its number; None leaves the run out. An unknown word is refused."""
    make({"lr": 1}, 1)
    assert groups(listed(), "acc", goal="max", at=lambda run: 7.0)[0].description.values.tolist() == [7.0]
    assert groups(listed(), "acc", goal="max", at=lambda run: None).left_out["no value"]
    with pytest.raises(UsageError, match="last, first"):
        groups(listed(), "acc", goal="max", at="lsat")


def test_several_ranks_count_by_their_mean() -> None:
    """A metric of several ranks counts as the mean of them, and that is told."""
    run = runfolio.start(params={"lr": 1}, capture=False)
    for rank, value in ((0, 1.0), (1, 3.0)):
        with runfolio.attach(run.id, rank=rank) as one:
            one.log({"acc": value}, step=0)
    run.finish()
    for at in ("last", "median"):
        found = groups(listed(), "acc", goal="max", at=at)
        assert found[0].description.values.tolist() == [2.0]
        assert list(found.told) == ["several ranks"]


def test_the_goal_is_the_declared_one() -> None:
    """Without a goal the declared one is taken; where there is none, one is asked for."""
    with runfolio.start(capture=False) as run:
        run.define("loss", "min")
        run.log({"loss": 1, "acc": 1}, step=0)
    assert groups(listed(), "loss").goal == "min"
    with pytest.raises(UsageError, match="no run declares its goal"):
        groups(listed(), "acc")
    with pytest.raises(UsageError, match="goal must be"):
        groups(listed(), "acc", goal="low")


def test_an_unknown_metric_is_told_with_those_like_it() -> None:
    """A metric that none of the runs has is an error that names the nearest; so is a list without runs."""
    grid(1)
    with pytest.raises(NotFound, match="'acc'"):
        groups(listed(), "ac", goal="max")
    with pytest.raises(NotFound, match="no run"):
        groups([], "acc", goal="max")


def test_values_of_different_type_are_different_settings() -> None:
    """1, 1.0 and True make groups of their own, and so does a param that is missing."""
    for params in ({"a": 1}, {"a": 1.0}, {"a": True}, {"a": None}, {}):
        make({**params, "b": 0}, 1)
    assert len(groups(listed(), "acc", by="a", goal="max")) == 5


def test_what_ran_away_counts_as_infinite() -> None:
    """A value beyond 1e150 cannot be squared: its run is left out as infinite, and runs and values stay of one length."""
    layout = make_store()
    for value in (1.0, 2.0, 1e200):
        _, writer = make_run(layout)
        writer.log({"loss": value}, 0)
        end_run(writer)
    found = runfolio.open_store().groups("loss", goal="min")
    assert [len(group.runs) for group in found] == [2] and found[0].description.infinite == 1
    assert len(found.left_out["infinite"]) == 1


def test_runs_of_another_kind_make_no_groups() -> None:
    """Runs that never log the metric bring no columns and no rows; they are counted. A setting asked for by name stays, also with nothing to show."""
    grid()
    make({"depth": 3, "data": "wiki"}, 1.0, metric="loss")
    make({"lr": 0.3, "seed": 0, "width": 7}, 1.0, metric="loss")
    found = groups(listed(), "acc", goal="max")
    assert (found.by, [group.params["lr"] for group in found]) == (["lr", "opt.name"], [0.2, 0.1])
    assert (len(found.left_out["no value"]), found.inside) == (2, [])
    told = groups(listed(), "acc", by="lr", goal="max")
    assert [(group.params.get("lr"), group.description.n) for group in told] == [(0.2, 4), (0.1, 4), (0.3, 0)]


def test_a_notebook_shows_the_table_and_the_verdicts() -> None:
    """Groups show a row each and the verdict of each pair, and what was left out; whatever a name holds stands there as text."""
    for seed in range(4):
        make({"lr": 0.1, "seed": seed, "<b>": "<script>"}, 0.50 + 0.01 * (seed % 3))
        make({"lr": 0.2, "seed": seed, "<b>": "&amp;"}, 0.90 + 0.01 * (2 * seed % 3))
    make({"lr": 0.2, "seed": 9, "<b>": "&amp;"}, math.nan)
    page = groups(listed(), "acc", goal="max")._repr_html_()
    assert page.count("<tr>") == 3 and page.count("<li>") == 1
    assert "<td>0.2</td>" in page and "<b>better</b>" in page and "1 NaN" in page
    assert "&lt;script&gt;" in page and "&amp;amp;" in page and "<script" not in page
    alone = groups([run for run in listed() if run.params["seed"] == 0 and run.params["lr"] == 0.1], "acc", goal="max")
    assert "<li>" not in alone._repr_html_()
