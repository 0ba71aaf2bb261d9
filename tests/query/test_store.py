"""A store: finding runs, filtering, comparing, the best of them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from query.runs import end_run, make_run, make_store, make_writer
from runfolio.errors import AmbiguousRun, RunNotFound, UsageError
from runfolio.journal.writer import FINAL
from runfolio.query.store import Store
from runfolio.testing.clock import ManualClock


@pytest.fixture
def layout():
    return make_store()


@pytest.fixture
def clock():
    return ManualClock()


def tell(layout, run_id, **body):
    """Edit a run by an event of its own journal."""
    writer = make_writer(layout, run_id, role="edit")
    writer.event(body)
    writer.close(sync=False)


def finished(layout, clock, name=None, metrics=None, **more):
    """Write a run that logs `{metric: [values]}` by step, and ends."""
    clock.pass_s(1)
    run_id, writer = make_run(layout, name, clock=clock, **more)
    for metric, values in (metrics or {}).items():
        for step, value in enumerate(values):
            writer.log({metric: value}, step)
    end_run(writer)
    return run_id


# --------------------------------------------------------------------------------------------------------- references


def test_a_run_is_found_by_id_prefix_name_alias_and_latest(layout, clock):
    """The whole id, any unique beginning of it, the name, an alias and "latest" name a run."""
    first = finished(layout, clock, "first", run_id="a1" + "0" * 30)
    last = finished(layout, clock, "second", run_id="b2" + "0" * 30)
    tell(layout, first, type="alias", name="run_001")
    store = Store(layout)
    for ref in (first, "a", "a1", first[:31], "first", "run_001"):
        assert store.run(ref).id == first
    for ref in (last, "b", "second", "latest"):
        assert store.run(ref).id == last
    assert store.run("a").aliases == ["run_001"]


def test_a_name_is_that_of_the_latest_run(layout, clock):
    """Of several runs with a name the latest is meant, and a deleted one only where there is no other."""
    older = finished(layout, clock, "twin")
    newer = finished(layout, clock, "twin")
    assert Store(layout).run("twin").id == newer
    tell(layout, newer, type="delete", author=None)
    assert Store(layout).run("twin").id == older
    tell(layout, older, type="delete", author=None)
    assert Store(layout).run("twin").id == newer


def test_what_fits_several_runs_is_ambiguous(layout, clock):
    """A prefix of two ids, an alias of two runs, and what is the prefix of one run and the name of another are told with the ids."""
    one = finished(layout, clock, "cafe", run_id="ab" + "0" * 30)
    two = finished(layout, clock, "ab0", run_id="ab" + "1" * 30)
    three = finished(layout, clock, run_id="cafe" + "0" * 28)
    for run_id in (one, two):
        tell(layout, run_id, type="alias", name="number 1")
    store = Store(layout)
    for ref, ids in (("ab", {one, two}), ("number 1", {one, two}), ("cafe", {one, three}), ("ab0", {one, two})):
        with pytest.raises(AmbiguousRun, match="fits 2 runs") as error:
            store.run(ref)
        assert set(error.value.candidates) == ids


def test_F44_an_unknown_run_names_those_like_it(layout, clock):
    """What no run answers to is an error that offers the nearest names, whatever text it is."""
    finished(layout, clock, "baseline-large")
    store = Store(layout)
    with pytest.raises(RunNotFound, match="did you mean 'baseline-large'"):
        store.run("baseline-lagre")
    for ref in (
        "",
        "/",
        "..",
        "a\0b",
        "x" * 10_000,
        "é" * 5,
        "\ud800",
        "f" * 32,
        "g" * 32,
        "'; DROP TABLE runs; --",
        "%",
        "*",
    ):
        with pytest.raises(RunNotFound):
            store.run(ref)
    with pytest.raises(UsageError):
        store.run(7)


def test_F44_any_name_finds_its_run(layout, clock):
    """Names that a path, a pattern or SQL would trip over are names like any other."""
    names = [
        "a/b",
        "..",
        "%",
        "*?[x]",
        "' OR 1=1 --",
        "RÄT",
        "räT",
        "ra\u0308T",
        "emoji 🦆",
        "x" * 10_000,
        "line\nbreak",
        "latest!",
    ]
    ids = {name: finished(layout, clock, name) for name in names}
    store = Store(layout)
    assert {name: store.run(name).id for name in names} == ids


# --------------------------------------------------------------------------------------------------------- listings


def test_runs_stand_newest_first_and_are_filtered(layout, clock):
    """Experiment, status, name pattern, tag and limit choose among the runs; deleted and archived ones are left out unless asked for."""
    ids = [finished(layout, clock, f"run-{i}", experiment=f"e{i % 2}") for i in range(4)]
    failed = finished(layout, clock, "odd", experiment="e1")
    tell(layout, failed, type="exit", status="failed", reason="x", exit_code=3, signal=None)
    tell(layout, ids[0], type="tags", add={"best": "", "team": "ml"}, remove=[])
    tell(layout, ids[1], type="delete", author=None)
    tell(layout, ids[2], type="archive", author=None)
    store = Store(layout)

    def found(**asked):
        return [run.id for run in store.runs(**asked)]

    assert found() == [failed, ids[3], ids[0]]
    assert found(deleted=None, archived=None) == [failed, *reversed(ids)]
    assert found(deleted=True) == [ids[1]]
    assert found(archived=True) == [ids[2]]
    assert found(experiment="e1") == [failed, ids[3]]
    assert found(status="failed") == [failed]
    assert found(status=["failed", "finished"], limit=2) == [failed, ids[3]]
    assert found(name="run-[0-9]") == [ids[3], ids[0]]
    assert found(name="RUN-*") == []
    assert found(tag="best") == found(tag="team") == found(tag="team=ml") == [ids[0]]
    assert found(tag="team=x") == found(tag="other") == []
    assert found(name="*", limit=1) == [failed]
    assert store.run(failed).exit_code == 3
    with pytest.raises(UsageError, match="no status 'done'"):
        store.runs(status="done")


def test_experiments_are_told_with_their_runs(layout, clock):
    """Each experiment has its number of runs, of running ones, and the time of the latest."""
    for experiment in ("a", "b", "a"):
        finished(layout, clock, experiment=experiment)
    clock.pass_s(1)
    make_run(layout, experiment="b", clock=clock)
    found = Store(layout).experiments()
    assert [(one.name, one.runs, one.running) for one in found] == [("b", 2, 1), ("a", 2, 0)]
    assert found[0].latest == datetime.fromtimestamp(clock.wall_ns() // 10**9, UTC)


def test_a_run_tells_its_times(layout):
    """Created, started and ended are in UTC; the duration adds up the attempts and not the pause between them."""
    clock = ManualClock(wall_ns=1_700_000_000 * 10**9)
    run_id, writer = make_run(layout, clock=clock)
    clock.pass_s(10)
    end_run(writer)
    clock.pass_s(1000)
    again = make_writer(layout, run_id, attempt=2, clock=clock)
    again.event({"type": "attempt", "rewind_to": None, "command": ["x"]})
    clock.pass_s(5)
    end_run(again)
    run = Store(layout).run(run_id)
    begin = datetime.fromtimestamp(1_700_000_000, UTC)
    assert run.created == begin
    assert (run.started - begin).total_seconds() == 1010
    assert (run.ended - begin).total_seconds() == 1015
    assert run.duration_s == 15
    assert [attempt.number for attempt in run.attempts] == [1, 2]


def test_F28_no_duration_is_negative(layout):
    """A clock that was set back between writers makes no negative duration."""
    clock = ManualClock()
    run_id, writer = make_run(layout, clock=clock)
    writer.close(sync=False)
    clock.set_wall(clock.wall_ns() - 3600 * 10**9)
    late = make_writer(layout, run_id, role="launch", clock=clock)
    late.event({"type": "exit", "status": "finished", "reason": None, "exit_code": 0, "signal": None})
    late.close(sync=False)
    assert Store(layout).run(run_id).duration_s >= 0


def test_progress_tells_how_long_it_will_take(layout):
    """With total steps known, a running run tells the fraction and the time left at its pace."""
    clock = ManualClock()
    run_id, writer = make_run(layout, clock=clock)
    assert Store(layout).run(run_id).progress == (None, None, None, None)
    writer.event({"type": "total_steps", "value": 100})
    for step in range(25):
        writer.log({"m": 1.0}, step)
        clock.pass_ns(1024 * 1024)
    progress = Store(layout).run(run_id).progress
    assert (progress.step, progress.total_steps, progress.fraction) == (24, 100, 0.25)
    assert progress.left_s == pytest.approx(75 * 1024 * 1024 / 1e9, rel=0.01)
    end_run(writer)
    assert Store(layout).run(run_id).progress == (24, 100, 0.25, None)


def test_progress_forgets_what_a_rewind_has_hidden(layout):
    """After a rewind the highest step is that of the new attempt."""
    clock = ManualClock()
    run_id, writer = make_run(layout, clock=clock)
    for step in range(10):
        writer.log({"m": 1.0}, step)
    end_run(writer)
    clock.pass_s(1)
    again = make_writer(layout, run_id, attempt=2, clock=clock)
    again.event({"type": "attempt", "rewind_to": 3, "command": None})
    assert Store(layout).run(run_id).progress.step == 2
    again.log({"m": 1.0}, 3)
    assert Store(layout).run(run_id).progress.step == 3


def test_params_are_nested_and_flat(layout, clock):
    """Dotted params come nested, and flat as they were told."""
    run_id, writer = make_run(layout)
    writer.event({"type": "params", "set": {"opt.lr": 0.1, "opt.name": "adam", "n": 3, "inf": math.inf}})
    writer.event({"type": "summary", "set": {"test.acc": 0.9}})
    run = Store(layout).run(run_id)
    assert run.flat_params == {"opt.lr": 0.1, "opt.name": "adam", "n": 3, "inf": math.inf}
    assert run.params == {"opt": {"lr": 0.1, "name": "adam"}, "n": 3, "inf": math.inf}
    assert run.summary == {"test": {"acc": 0.9}}


def test_disagreement_and_loss_are_warnings(layout):
    """Two writers that disagree about a param, and what could not be kept, are told in words."""
    clock = ManualClock()
    run_id, writer = make_run(layout, clock=clock)
    writer.event({"type": "params", "set": {"lr": 0.1}})
    clock.pass_s(1)
    other = make_writer(layout, run_id, role="attach", clock=clock)
    other.event({"type": "params", "set": {"lr": 0.2}})
    other.event(
        {"type": "lost", "points": 7, "calls": 7, "events": 1, "cause": "No space left on device", "since_ns": 1}
    )
    run = Store(layout).run(run_id)
    assert run.params == {"lr": 0.1}
    assert run.lost_points == 7
    assert run.warnings == [
        "two writers disagree about param 'lr': 0.1 was first and is shown, 0.2 is not",
        "7 values and 1 other event could not be kept (No space left on device)",
    ]


# --------------------------------------------------------------------------------------------------------- over all runs


def test_the_best_run_over_the_history_or_at_the_end(layout, clock):
    """Over the whole history by default, by the last value where asked; NaN never wins, the older of two equals does."""
    first = finished(layout, clock, metrics={"loss": [3.0, 0.5, 2.0]})
    second = finished(layout, clock, metrics={"loss": [3.0, 1.0, 1.0]})
    finished(layout, clock, metrics={"loss": [math.nan, math.nan]})
    finished(layout, clock, metrics={"loss": [3.0, 1.0, 1.0]})
    finished(layout, clock, metrics={"other": [-9.0]})
    store = Store(layout)
    assert store.best("loss", mode="min").id == first
    assert store.best("loss", mode="min", at="last").id == second
    assert store.best("loss", mode="max", at="last").id == first
    assert store.best("loss", mode="max").id == first
    assert store.best("nothing", mode="max") is None


def test_the_best_run_by_the_declared_goal(layout, clock):
    """Without a mode the goal declared for the metric decides; without a goal, or with both, the call is refused."""
    low = finished(layout, clock, metrics={"loss": [1.0], "acc": [0.1]})
    high = finished(layout, clock, metrics={"loss": [2.0], "acc": [0.2]})
    tell(layout, low, type="goal", metric="loss", goal="min")
    tell(layout, high, type="goal", metric="acc", goal="max")
    store = Store(layout)
    assert (store.best("loss").id, store.best("acc").id) == (low, high)
    with pytest.raises(UsageError, match="no run declares its goal"):
        store.best("other")
    for wrong in ({"mode": "least"}, {"mode": "min", "at": "end"}):
        with pytest.raises(UsageError):
            store.best("loss", **wrong)
    tell(layout, high, type="goal", metric="loss", goal="max")
    with pytest.raises(UsageError, match="declare both"):
        Store(layout).best("loss")


def test_one_metric_over_all_runs(layout, clock):
    """The series of a metric come by run id, of the runs that have it, newest first; twice the same, from journals and from the cache."""
    late = ManualClock(wall_ns=2**62)
    ids = [finished(layout, clock, metrics={"m": [float(i)] * i, "n": [1.0]}) for i in range(4)]
    clock.pass_s(1)
    live, writer = make_run(layout, clock=clock)
    writer.log({"m": 9.0}, FINAL)
    for _ in range(2):
        store = Store(layout, late)
        found = store.series("m")
        assert list(found) == [live, ids[3], ids[2], ids[1]]
        assert {id_: list(series.values) for id_, series in found.items()} == {
            live: [9.0],
            **{ids[i]: [float(i)] * i for i in range(1, 4)},
        }
    assert len(store._index.cache.points("m")) == 3
    writer.log({"m": 10.0}, FINAL)
    late.pass_s(1)
    assert list(store.series("m")[live].values) == [9.0, 10.0]


def test_runs_compared(layout, clock):
    """Params that differ stand apart from those that are the same; the best last value of a metric with a goal is marked."""
    runs = []
    for lr, loss in ((0.1, 2.0), (0.01, 1.0), (0.1, math.nan)):
        run_id, writer = make_run(layout, clock=clock)
        writer.event({"type": "params", "set": {"lr": lr, "net": "mlp", **({"extra": 1} if lr < 0.1 else {})}})
        writer.event({"type": "goal", "metric": "loss", "goal": "min"})
        writer.log({"loss": loss, "n": 3}, 0)
        end_run(writer)
        runs.append(run_id)
    found = Store(layout).compare(runs)
    assert [run.id for run in found.runs] == runs
    assert found.params == {"lr": [0.1, 0.01, 0.1], "extra": [None, 1, None]}
    assert found.same_params == {"net": "mlp"}
    assert found.metrics["n"] == [3, 3, 3]
    assert found.best == {"loss": 1}


def test_a_closed_store_says_so(layout):
    """A store that was closed refuses further questions in words."""
    with Store(layout) as store:
        pass
    with pytest.raises(UsageError, match="closed"):
        store.runs()


def test_threads_may_ask_at_once(layout, clock):
    """Any thread may ask any question at the same time."""
    from concurrent.futures import ThreadPoolExecutor

    for i in range(5):
        finished(layout, clock, f"r{i}", metrics={"m": [1.0, 2.0]})
    store = Store(layout)

    def ask(i):
        run = store.run(f"r{i % 5}")
        return len(store.runs()), len(run.series("m")), len(run.table()), len(store.series("m")), run.state.name

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(64)))
    assert set(found) == {(5, 2, 2, 5, f"r{i}") for i in range(5)}
