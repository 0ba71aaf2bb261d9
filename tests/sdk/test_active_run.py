"""The handle: what it takes, what it refuses, what it keeps."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

import runfolio
from runfolio import FINAL, InvalidValue, ParamConflict, RunIsClosed, UsageError
from sdk.told import past, points, script


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("RUNFOLIO_CAPTURE", "none")
    with runfolio.start(experiment="e", name="n", params={"lr": 0.1, "model": {"width": 3}}) as run:
        yield run


def test_log_keeps_values_and_kinds(run):
    """Floats, ints and bools come back as what they were, from Python and numpy alike."""
    run.log({"f": 0.5, "i": 3, "b": True}, step=0)
    run.log({"f": np.float32(0.25), "i": np.int64(4), "b": np.bool_(False)}, step=1)
    run.log({"f": np.array([2.0]), "i": np.array(5), "b": np.array([[True]])}, step=2)
    assert points(run.id) == [
        ("f", 0, 0.5, "f"), ("i", 0, 3, "i"), ("b", 0, 1, "b"),
        ("f", 1, 0.25, "f"), ("i", 1, 4, "i"), ("b", 1, 0, "b"),
        ("f", 2, 2.0, "f"), ("i", 2, 5, "i"), ("b", 2, 1, "b"),
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [None, "0.5", [1, 2], np.zeros(3), 2**53 + 1, 2**63, 1j, object()])
def test_log_refuses_the_whole_call(run, bad):
    """A value that is no number is refused by its key, and nothing of that call is kept; the run goes on."""
    run.log({"a": 1.0, "b": 2.0}, step=0)
    with pytest.raises(InvalidValue, match="bad"):
        run.log({"a": 1.0, "bad": bad}, step=1)
    run.log({"a": 1.0, "b": 2.0}, step=2)
    assert {step for _, step, _, _ in points(run.id)} == {0, 2}


@pytest.mark.parametrize("step", [7.0, True, "7", 2**63, np.float64(3), np.bool_(True)])
def test_F29_steps_are_integers(run, step):
    """Fractions, bools, text and what is outside int64 are refused as steps, on the first call and on a warm one."""
    for _ in range(3):
        with pytest.raises(InvalidValue):
            run.log({"a": 1.0}, step=step)
        run.log({"a": 1.0}, step=1)
    assert {step for _, step, _, _ in points(run.id)} == {1}


def test_F29_any_order_of_steps(run):
    """Negative, repeated, falling and far steps are all kept as they were given."""
    steps = [0, -1, 5, 5, 3, 2**40, -(2**62), 2**63 - 1, np.int32(9)]
    for step in steps:
        run.log({"a": 1.0}, step=step)
    assert [step for _, step, _, _ in points(run.id)] == [int(step) for step in steps]


def test_S0_03_auto_step_from_zero(run):
    """Without a step: 0, 1, 2."""
    for _ in range(3):
        run.log({"a": 1.0})
    assert [step for _, step, _, _ in points(run.id)] == [0, 1, 2]


def test_S0_04_auto_step_after_explicit(run):
    """A summary logged without a step lands on the highest step so far + 1, over all metrics."""
    for epoch in range(1, 11):
        run.log({"train": 1.0}, step=epoch)
        if epoch % 2 == 0:
            run.log({"val": 1.0}, step=epoch)
    run.log({"final": 0.5})
    assert points(run.id)[-1][:2] == ("final", 11)


def test_S0_05_explicit_zero_then_auto(run):
    """Explicit 0, then without a step: 1."""
    run.log({"a": 1.5}, step=0)
    run.log({"a": 1.2})
    assert [step for _, step, _, _ in points(run.id)] == [0, 1]


def test_S0_11_step_is_no_metric(run):
    """`step` among the metrics is refused with a word on the parameter, first call or later."""
    with pytest.raises(UsageError, match=r"step=…"):
        run.log({"step": 3, "loss": 1.0})
    with pytest.raises(UsageError, match=r"step=…"):
        run.log({"step": 3, "loss": 1.0})
    assert points(run.id) == []


def test_final_points_have_no_step(run):
    """FINAL keeps a point without a step, and does not move the automatic step."""
    run.log({"a": 1.0}, step=4)
    run.log({"a": 2.0}, step=FINAL)
    run.log({"a": 3.0})
    assert [step for _, step, _, _ in points(run.id)] == [4, None, 5]


def test_metrics_as_keywords(run):
    """Further metrics may come as keywords; a defaultdict is not filled by being read."""
    from collections import defaultdict

    run.log({"a": 1.0}, step=1, b=2.0)
    run.log({"a": 1.0, "b": 2.0}, step=2)
    metrics = defaultdict(float, a=1.0, c=2.0)
    run.log(metrics, step=3)
    assert [(k, s) for k, s, _, _ in points(run.id)] == [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("c", 3)]
    assert set(metrics) == {"a", "c"}


def test_F47_nothing_logged_is_nothing_kept(run):
    """An empty call leaves no row and does not move the step."""
    run.log({})
    run.log({}, step=5)
    run.log({"a": 1.0})
    assert points(run.id) == [("a", 0, 1.0, "f")]


def test_params_equal_again_is_silent(run):
    """The same value again says nothing and writes nothing; NaN equals itself."""
    run.set_params({"lr": 0.1, "nan": math.nan})
    run.set_params({"nan": math.nan, "model.width": 3})
    assert past(run.id).state.params == pytest.approx({"lr": 0.1, "model.width": 3, "nan": math.nan}, nan_ok=True)


@pytest.mark.parametrize("params", [{"lr": 0.2}, {"lr": "0.1"}, {"model": {"width": 3.0}}, {"new": 1, "lr": 1}])
def test_params_to_another_value_conflict(run, params):
    """Another value, or another kind, raises and keeps nothing of the call."""
    with pytest.raises(ParamConflict, match="is already"):
        run.set_params(params)
    assert past(run.id).state.params == {"lr": 0.1, "model.width": 3}


@pytest.mark.parametrize("params", [{"model": 1}, {"lr.decay": 2}, {"x": 1, "x.y": 2}])
def test_params_leaf_and_branch_are_refused(run, params):
    """`a` and `a.b` together are refused."""
    with pytest.raises(UsageError):
        run.set_params(params)
    assert past(run.id).state.params == {"lr": 0.1, "model.width": 3}


def test_get_param_by_dotted_key(run):
    """A leaf by its dotted key, a branch as a dict, the default where there is nothing."""
    assert run.get_param("model.width") == 3
    assert run.get_param("model") == {"width": 3}
    assert run.get_param("nothing", 7) == 7
    assert run.get_params() == {"lr": 0.1, "model": {"width": 3}}


def test_dataclass_params():
    """A dataclass is a dict of params."""

    @dataclass
    class Config:
        lr: float = 0.5

    with runfolio.start(params=Config(), capture=False) as run:
        assert run.get_param("lr") == 0.5


def test_no_params_and_no_tags_may_be_told_as_none() -> None:
    """`start(params=None, tags=None)` begins a run with neither, as a script does that passes on its own defaults."""
    with runfolio.start(params=None, tags=None) as run:
        run.log({"loss": 1.0})
    found = runfolio.open_store().run(run.id)
    assert (found.params, found.tags) == ({}, {})


def test_tags_notes_name_summary_goal_total(run):
    """Each verb is an event, and the fold shows the last word."""
    run.add_tags("best", team="ml")
    run.add_tags("gone")
    run.remove_tags("gone")
    run.notes = "first"
    run.notes = "second"
    run.name = "renamed"
    run.summary["test_acc"] = 0.9
    run.summary["test_acc"] = np.float32(0.5)
    run.summary.update({"nested": {"a": 1}})
    run.define("loss", goal="min")
    run.total_steps = 100
    run.log_record({"sample": "the cat sat", "n": None}, step=7)
    state = past(run.id).state
    assert state.tags == {"best": "", "team": "ml"}
    assert (state.notes, state.name, state.total_steps) == ("second", "renamed", 100)
    assert state.summary == {"test_acc": 0.5, "nested.a": 1}
    assert state.goals == {"loss": "min"}
    assert [(r.step, r.value) for r in state.records] == [(7, {"sample": "the cat sat", "n": None})]


def test_finish_twice_and_log_after(run):
    """Finishing again does nothing; logging afterwards says so."""
    run.log({"a": 1.0}, step=0)
    run.finish()
    run.finish("failed")
    for verb in (lambda: run.log({"a": 1.0}, step=1), lambda: run.add_tags("x"), lambda: run.log({"new": 1})):
        with pytest.raises(RunIsClosed, match="finished"):
            verb()
    assert past(run.id).state.status_declared == "finished"


def test_exception_in_the_block_is_failed():
    """An exception in the with block: failed, the traceback kept, the exception passed on."""
    with pytest.raises(ValueError, match="boom"), runfolio.start(capture=False) as run:
        raise ValueError("boom")
    state = past(run.id).state
    assert (run.status, state.status_declared) == ("failed", "failed")
    assert state.error.kind == "ValueError" and "test_active_run.py" in state.error.traceback


def test_F19_a_pickled_run_attaches(run):
    """A pickled handle holds no file and no lock: loaded elsewhere, it writes to the same run through its own journal."""
    data = pickle.dumps(run)
    body = f"import pickle\nrun = pickle.loads({data!r})\nrun.log({{'child': 1.0}}, step=3)\nrun.finish()"
    subprocess.run([sys.executable, "-c", body], check=True, timeout=60)
    assert ("child", 3, 1.0, "f") in points(run.id)
    assert past(run.id).state.status_declared is None


def test_disabled_mode_keeps_nothing(tmp_path):
    """RUNFOLIO_MODE=disabled: every call is a no-op, and nothing is made on the disk."""
    done = script(
        """
        import runfolio
        with runfolio.start(params={"lr": 0.1}) as run:
            run.log({"a": 1}); run.log("nonsense"); run.summary["x"] = 1; run.add_tags("t"); run.notes = "n"
            run.add_artifact("nothing.bin"); run.flush(); run.set_params({"b": 2}); run.use_data("nowhere")
            assert run.get_param("lr") == 0.1 and len(run.id) == 32
        runfolio.log({"a": 1}); runfolio.summary["y"] = 2; runfolio.add_artifact("x")
        runfolio.attach("0" * 32).log({"a": 1}); runfolio.resume("0" * 32).finish()
        """,
        RUNFOLIO_MODE="disabled",
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "store").exists() and not (tmp_path / "spool").exists()


@pytest.mark.parametrize(
    ("first", "then", "whole"),
    [
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"s": 1, "t": 0}, {"s": {"name": "x"}}, {"t": 0, "s": {"name": "x"}}),
        ({"s": {"name": "x", "deep": {"y": 1}}}, {"s": 2}, {"s": 2}),
        ({"e": {}}, {"e": {"z": 1}}, {"e": {"z": 1}}),
        ({"e": {"z": 1}}, {"e": {"y": 2}}, {"e": {"z": 1, "y": 2}}),
    ],
)
def test_params_replaced(first, then, whole):
    """With `replace` the later params win, whatever their shape; the handle and the reader agree, also where it is done again."""
    with runfolio.start(params=first, capture=False) as run:
        run.set_params(then, replace=True)
        assert run.params == whole
        run.set_params(first, replace=True)
        run.set_params(then, replace=True)
    found = runfolio.open_store().run(run.id)
    assert found.params == whole
    assert not found.conflicts
