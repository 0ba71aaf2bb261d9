"""Edits of many runs, and taking them back: whole, by whom, in which order, whatever happened to the runs since."""

from __future__ import annotations

import shutil
import time

import pytest

import runfolio
from query.runs import end_run, make_run, make_store
from runfolio.errors import UsageError
from runfolio.query import editing
from runfolio.query.editing import Edit, apply, changes, plan, undo
from runfolio.query.store import Store
from runfolio.store import edits
from runfolio.store.seal import seal


@pytest.fixture
def layout():
    return make_store()


def runs(layout, count=3, **metrics):
    """Write ended runs with a point of each metric; give their ids."""
    found = []
    for number in range(count):
        run_id, writer = make_run(layout, f"run {number}")
        if metrics:
            writer.log(metrics, 0)
        end_run(writer)
        found.append(run_id)
    return found


def change(layout, edit, ids=None, what="changed"):
    with Store(layout) as store:
        found = [store.run(run_id) for run_id in ids] if ids else list(store.runs(deleted=None, archived=None))
        return apply(layout, what, plan(found, edit))


def told(layout, what):
    """Give a fact of each run, by the index that lists them and by the run itself: both must say the same."""
    with Store(layout) as store:
        listed = {run.id: fact(run, what) for run in store.runs(deleted=None, archived=None)}
        assert listed == {run_id: fact(store.run(run_id), what) for run_id in listed}
    with Store(layout) as fresh:
        assert listed == {run.id: fact(run, what) for run in fresh.runs(deleted=None, archived=None)}
    return listed


def fact(run, what):
    return list(run.metrics) if what == "metrics" else getattr(run, what)


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (Edit(name="other"), "name"),
        (Edit(notes="text"), "notes"),
        (Edit(add_tags={"a": "2", "b": ""}, remove_tags=["c"]), "tags"),
        (Edit(archived=True), "archived"),
        (Edit(deleted=True), "deleted"),
    ],
)
def test_undo_brings_back_what_was(layout, edit, what):
    """Each kind of edit, over many runs that differ, is taken back to what each of them had."""
    ids = runs(layout)
    edits.tag(layout, ids[0], {"a": "1", "c": "3"})
    edits.set_notes(layout, ids[1], "before")
    before = told(layout, what)
    change(layout, edit)
    assert all(value != before[run_id] for run_id, value in told(layout, what).items())
    assert undo(layout).what == "changed"
    assert told(layout, what) == before
    assert undo(layout) is None


def test_runs_that_are_so_already_are_left_out(layout):
    """A change tells only of the runs that it changes, so taking it back leaves the others as they were."""
    ids = runs(layout)
    edits.archive(layout, ids[0])
    assert set(change(layout, Edit(archived=True)).runs) == set(ids[1:])
    undo(layout)
    assert told(layout, "archived") == {ids[0]: True, ids[1]: False, ids[2]: False}


def test_undo_again_takes_back_the_one_before(layout):
    """Changes are taken back from the latest on, one for each undo."""
    runs(layout, 1)
    for name in ("second", "third"):
        change(layout, Edit(name=name), what=name)
    assert [one.what for one in changes(layout)] == ["third", "second"]
    assert [undo(layout).what, *told(layout, "name").values()] == ["third", "second"]
    assert [undo(layout).what, *told(layout, "name").values()] == ["second", "run 0"]


def test_undo_of_ones_own(layout, monkeypatch):
    """With an author only a change of theirs is taken back, and others' later ones stand."""
    ids = runs(layout, 2)
    change(layout, Edit(name="mine"), ids[:1])
    me = edits.author()
    monkeypatch.setenv("LOGNAME", "somebody-else")
    change(layout, Edit(name="theirs"), ids[1:])
    assert undo(layout, me).runs == ids[:1]
    assert undo(layout, me) is None
    assert told(layout, "name") == {ids[0]: "run 0", ids[1]: "theirs"}


def test_undo_passes_over_runs_that_gc_has_removed(layout):
    """What is gone for good cannot be brought back, and keeps neither the others nor earlier changes from being taken back."""
    ids = runs(layout)
    change(layout, Edit(name="other"), what="named")
    change(layout, Edit(deleted=True), ids[:2], what="deleted two")
    change(layout, Edit(deleted=True), ids[2:], what="deleted one")
    for gone in (ids[0], ids[2]):
        shutil.rmtree(layout.run(gone))
    taken = undo(layout)
    assert (taken.what, taken.runs) == ("deleted two", [ids[1]])
    assert undo(layout).what == "named"
    assert told(layout, "name") == {ids[1]: "run 1"}
    assert told(layout, "deleted") == {ids[1]: False}


def test_change_that_was_cut_off_is_taken_back_whole(layout, monkeypatch):
    """A kill between two runs leaves a change that undo takes back: the runs that were not reached yet stay as they were."""
    runs(layout)
    edit, count = edits.edit, []

    def killed(*args):
        if count:
            raise KeyboardInterrupt
        count.append(1)
        return edit(*args)

    before = told(layout, "tags")
    monkeypatch.setattr(editing.edits, "edit", killed)
    with pytest.raises(KeyboardInterrupt):
        change(layout, Edit(add_tags={"a": "1"}))
    monkeypatch.undo()
    assert sorted(map(str, told(layout, "tags").values())) == ["{'a': '1'}", "{}", "{}"]
    assert undo(layout) is not None
    assert told(layout, "tags") == before


def points(layout, run_id):
    with Store(layout) as store:
        run = store.run(run_id)
        return {name: run.series(name).values.tolist() for name in run.metrics}


def test_renamed_metric_of_sealed_live_and_resumed_runs(layout):
    """A metric is shown by its new name, whatever state the run is in and whatever it logs later; undo gives the old one back."""
    sealed, ended = runs(layout, 2, loss=1.0)
    seal(layout, sealed)
    live = runfolio.start(capture=False)
    live.log({"loss": 1.0}, step=0)
    change(layout, Edit(metric=("loss", "train/loss")))
    live.log({"loss": 2.0}, step=1)
    with runfolio.resume(ended) as again:
        again.log({"loss": 2.0}, step=1)
    seal(layout, ended)
    expected = {sealed: [1.0], ended: [1.0, 2.0], live.id: [1.0, 2.0]}
    assert {run_id: points(layout, run_id) for run_id in expected} == {
        run_id: {"train/loss": values} for run_id, values in expected.items()
    }
    assert list(told(layout, "metrics").values()) == [["train/loss"]] * 3
    undo(layout)
    assert {run_id: points(layout, run_id) for run_id in expected} == {
        run_id: {"loss": values} for run_id, values in expected.items()
    }
    live.finish()


def test_two_metrics_cannot_become_one(layout):
    """Renaming to a name that the run has, also one it was given, is refused before any run is touched."""
    ids = runs(layout, 2, loss=1.0)
    (both,) = runs(layout, 1, loss=1.0, other=2.0)
    with pytest.raises(UsageError, match="already"):
        change(layout, Edit(metric=("loss", "other")))
    change(layout, Edit(metric=("loss", "first")), ids)
    assert changes(layout)[0].runs == ids
    assert points(layout, both) == {"loss": [1.0], "other": [2.0]}


def test_goal_goes_with_the_metric(layout):
    """A goal that was defined for a metric holds under its new name."""
    with runfolio.start(capture=False) as run:
        run.define("loss", "min")
        run.log({"loss": 2.0}, step=0)
        run.log({"loss": 1.0}, step=1)
        run.log({"loss": 3.0}, step=2)
    change(layout, Edit(metric=("loss", "train/loss")))
    assert told(layout, "goals") == {run.id: {"train/loss": "min"}}


def test_nothing_to_change_is_refused(layout):
    """An empty edit, and a name or tag that cannot be kept, are the caller's mistake."""
    runs(layout, 1)
    with pytest.raises(UsageError, match="nothing"):
        change(layout, Edit())
    for bad in (Edit(name=""), Edit(add_tags={"": "x"}), Edit(metric=("a", ""))):
        with pytest.raises(ValueError):
            change(layout, bad)
    assert changes(layout) == []


def test_last_change_is_the_last_with_the_clock_set_back(layout, monkeypatch):
    """Undo takes the change back that was made last, also where the clock was set back between two."""
    runs(layout)
    real = time.time_ns
    change(layout, Edit(notes="first"))
    monkeypatch.setattr(time, "time_ns", lambda: real() - 3_600 * 10**9)
    change(layout, Edit(notes="second"))
    assert [one.what for one in changes(layout)] == ["changed", "changed"]
    undo(layout)
    assert set(told(layout, "notes").values()) == {"first"}
