"""Retention and sizes: what goes, what stays whatever the rule, and how much space is taken."""

from __future__ import annotations

import json
import os

import pytest

import runfolio
from cli.calling import call, fine
from runfolio.query.retention import Keep, parse_keep


def train(name, loss, experiment="e", tags=(), **more):
    with runfolio.start(experiment, name, tags=tags, capture=False, **more) as run:
        run.define("loss", goal="min")
        run.log({"loss": loss}, step=0)
    return run


def names():
    return sorted(run["name"] for run in json.loads(fine("list", "--json", "--all").out))


def test_best_of_each_experiment_stay():
    """`best:2:loss` keeps the two best of each experiment; undo brings the others back."""
    for experiment in ("a", "b"):
        for number in range(4):
            train(f"{experiment}{number}", float(number), experiment)
    told = fine("gc", "--keep", "best:2:loss", "--dry-run").out
    assert "Would have deleted" in told and "4 runs of 8" in told
    assert len(names()) == 8
    fine("gc", "--keep", "best:2:loss")
    assert names() == ["a0", "a1", "b0", "b1"]
    fine("undo")
    assert len(names()) == 8


def test_rules_add_up_and_nothing_is_freed():
    """What any rule keeps stays; the goal may be told; the bytes of what goes are there until the next gc."""
    for number in range(5):
        train(f"r{number}", float(number), tags=["paper"] if number == 2 else ())
    fine("gc", "--keep", "best:1:loss:max", "--keep", "latest:1", "--keep", "tag:paper")
    assert names() == ["r2", "r4"]
    assert len(os.listdir("store/runs")) == 5
    fine("gc")
    assert len(os.listdir("store/runs")) == 2


def test_young_and_running_runs_stay():
    """A run that ended less long ago than told stays, and one that is running always."""
    train("young", 1.0)
    running = runfolio.start("e", "running", capture=False)
    running.log({"loss": 9.0})
    assert "None of 2 runs goes" in fine("gc", "--older", "30d").out
    fine("gc", "--keep", "latest:0")
    assert names() == ["running"]
    running.finish()


def test_nan_is_never_among_the_best():
    """A run whose metric is NaN all along is not kept as one of the best."""
    train("nan", float("nan"))
    train("number", 5.0)
    fine("gc", "--keep", "best:2:loss")
    assert names() == ["number"]


@pytest.mark.parametrize("rule", ["best", "best:x:loss", "best:3", "latest:", "tag:", "", "best:-1:loss"])
def test_what_is_no_rule_is_refused(rule):
    """A rule that cannot be read is named, with the forms there are; nothing is deleted."""
    train("r", 1.0)
    told = call("gc", "--keep", rule)
    assert (told.code, "best:N:METRIC" in told.err) == (2, True)
    assert names() == ["r"]


def test_metric_with_colons():
    """The name of a metric may hold colons."""
    assert parse_keep("best:3:val:loss:max") == Keep("best", 3, "val:loss", "max")
    assert parse_keep("best:3:val:loss") == Keep("best", 3, "val:loss", None)


def test_sizes_count_what_is_shared_once():
    """An artifact of equal contents in two runs counts in both, and once in the sum."""
    for name in ("one", "two"):
        with runfolio.start("e", name, capture=False) as run:
            run.log({"loss": 1.0})
            run.add_artifact(b"x" * 200_000, "weights.bin")
    told = json.loads(fine("du", "--json").out)
    each = [run["artifacts"] for run in told["runs"]]
    assert all(size >= 200_000 for size in each)
    assert told["total"] == sum(run["total"] for run in told["runs"]) - told["shared"]
    assert told["shared"] == each[0]
    assert "2 runs" in fine("du").out
    assert json.loads(fine("du", "--artifacts", "--json").out)["total"] == 200_000
    assert "weights.bin" in fine("du", "-a").out


def test_sizes_of_nothing():
    """An empty store takes nothing."""
    runfolio.start(capture=False).finish()
    fine("delete", "latest")
    fine("gc")
    assert "0 runs" in fine("du").out


def test_a_slip_of_the_pen_lets_nothing_go():
    """A best of a metric that no run has is refused with the names that are near: it would keep nothing. Without runs nothing is refused."""
    train("only", 1.0)
    called = call("gc", "--keep", "best:5:losss")
    assert called.code == 1 and "'losss'" in called.err and "'loss'" in called.err
    assert names() == ["only"]
    assert "None of 0 runs goes" in fine("gc", "--keep", "best:5:losss", "--filter", "name == 'nobody'").out


def test_the_goal_is_the_same_in_each_experiment():
    """A goal that the runs of one experiment declare holds in the others; where none does the message says how a rule tells it."""
    for number in range(2):
        train(f"a{number}", float(number), "a")
        with runfolio.start("b", f"b{number}", capture=False) as run:
            run.log({"loss": float(number), "acc": float(number)})
    fine("gc", "--keep", "best:1:loss")
    assert names() == ["a0", "b0"]
    called = call("gc", "--keep", "best:1:acc")
    assert (
        called.code == 2
        and "best:1:acc:max" in called.err.replace("min or ...:max", "max")
        and "mode=" not in called.err
    )
