"""Several writers of one run: attach, ranks, resume, the launcher's run."""

from __future__ import annotations

import os

import pytest

import runfolio
from runfolio import AmbiguousRun, RunIsLive, RunNotFound, UsageError
from runfolio.sdk import exits
from sdk.told import past, points, script


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setenv("RUNFOLIO_CAPTURE", "none")


def test_attach_writes_beside(tmp_path):
    """An attached handle has a journal of its own; its finish closes only that."""
    run = runfolio.start(params={"lr": 0.1})
    run.log({"a": 1.0}, step=5)
    with runfolio.attach(run.id[:8]) as other:
        other.log({"b": 2.0})
        other.set_params({"lr": 0.1, "new": 1})
        with pytest.raises(runfolio.ParamConflict):
            other.set_params({"lr": 0.2})
    assert points(run.id).count(("b", 6, 2.0, "f")) == 1
    run.log({"a": 2.0}, step=6)
    assert past(run.id).state.status_declared is None
    run.finish()
    assert len(os.listdir(os.path.join(run.folder, "journal"))) == 2


def test_attach_by_environment(monkeypatch):
    """RUNFOLIO_RUN_ID names the run that another process's `runfolio.log` writes to."""
    run = runfolio.start()
    done = script("import runfolio; runfolio.log({'child': 1.0})", RUNFOLIO_RUN_ID=run.id)
    assert done.returncode == 0, done.stderr
    run.finish()
    assert ("child", 0, 1.0, "f") in points(run.id)
    assert past(run.id).state.status_declared == "finished"


def test_two_writers_that_disagree_warn_in_the_fold():
    """Where two writers set a param differently at once, the earlier in the order of events wins, and the fold says so."""
    run = runfolio.start()
    other = runfolio.attach(run.id)
    run.set_params({"lr": 0.1})
    other.set_params({"lr": 0.2})
    state = past(run.id).state
    assert state.params == {"lr": 0.1}
    assert [(c.key, c.kept, c.refused) for c in state.conflicts] == [("lr", 0.1, 0.2)]


def test_ranks_are_kept_apart():
    """A rank given at start or attach stands in the journal's first frame."""
    from runfolio.journal.scan import opening

    run = runfolio.start(rank=0)
    runfolio.attach(run.id, rank=3).log({"a": 1.0})
    assert sorted(opening(scan)["rank"] for scan in past(run.id).scans) == [0, 3]


def test_attach_to_nothing():
    """No run, no id, several runs: each a clear error."""
    with pytest.raises(RunNotFound, match="12345678"):
        runfolio.attach("12345678" + "0" * 24)
    with pytest.raises(RunNotFound, match="abc"):
        runfolio.attach("abc")
    with pytest.raises(UsageError, match="RUNFOLIO_RUN_ID"):
        runfolio.attach()


def test_an_ambiguous_prefix_names_the_runs():
    """A prefix that fits several runs raises with the candidates."""
    ids = []
    while len({i[0] for i in ids}) == len(ids):
        run = runfolio.start()
        run.log({"a": 1})
        run.finish()
        ids.append(run.id)
    first = next(i[0] for i in ids if sum(j[0] == i[0] for j in ids) > 1)
    with pytest.raises(AmbiguousRun) as caught:
        runfolio.attach(first)
    assert len(caught.value.candidates) == 2


def test_F31_resume_of_a_live_run_is_refused():
    """A run that is still written is not resumed, unless forced."""
    run = runfolio.start()
    with pytest.raises(RunIsLive, match="still running"):
        runfolio.resume(run.id)
    forced = runfolio.resume(run.id, force=True)
    assert forced.attempt == 2


def test_resume_goes_on_where_it_was():
    """A new attempt has the same id, the next step, and its own params beside the old."""
    run = runfolio.start(params={"lr": 0.1, "kept": 1})
    for step in range(10):
        run.log({"a": 1.0}, step=step)
    run.finish("failed")
    again = runfolio.resume(run.id)
    assert (again.id, again.attempt) == (run.id, 2)
    assert again.get_param("lr") == 0.1
    again.set_params({"lr": 0.2})
    again.log({"a": 2.0})
    again.finish()
    state = past(run.id).state
    assert points(run.id)[-1] == ("a", 10, 2.0, "f") or ("a", 10, 2.0, "f") in points(run.id)
    assert state.params == {"lr": 0.2, "kept": 1}
    assert state.params_by_attempt == {"lr": {1: 0.1, 2: 0.2}}
    assert [attempt.status for attempt in state.attempts] == ["failed", "finished"]


def test_resume_rewinds():
    """rewind_to hides the later steps: the automatic step goes on from there."""
    run = runfolio.start()
    for step in range(10):
        run.log({"a": 1.0}, step=step)
    run.finish()
    again = runfolio.resume(run.id, rewind_to=5)
    again.log({"a": 2.0})
    again.finish()
    assert ("a", 5, 2.0, "f") in points(run.id)
    assert past(run.id).state.rewinds == [(2, 5)]


def test_two_resumes_at_once_get_two_attempts():
    """Attempt numbers are claimed: two forced resumes do not share one."""
    run = runfolio.start()
    run.finish()
    assert {runfolio.resume(run.id, force=True).attempt for _ in range(3)} == {2, 3, 4}


def test_the_launched_run_is_joined_once(monkeypatch):
    """In a script of the launcher the first start joins its run; the second begins a run of its own."""
    launched = runfolio.start(params={"lr": 0.1})
    monkeypatch.setenv("RUNFOLIO_RUN_ID", launched.id)
    monkeypatch.setattr(exits, "_taken_in", 0)
    first = runfolio.start(params={"lr": 0.1, "more": 1}, name="mine")
    second = runfolio.start()
    assert first.id == launched.id and second.id != launched.id
    first.finish()
    assert past(launched.id).state.status_declared is None
    assert past(launched.id).state.name == "mine"


def test_reading_a_param_first_does_not_take_the_launched_run(monkeypatch):
    """get_param attaches to the launcher's run; the start that follows is still the one that joins it, by the same handle."""
    launched = runfolio.start(params={"lr": 0.1})
    launched.finish()
    monkeypatch.setenv("RUNFOLIO_RUN_ID", launched.id)
    monkeypatch.setattr(exits, "_taken_in", 0)
    assert runfolio.get_param("lr") == 0.1
    run = runfolio.start(params={"lr": 0.1}, name="named")
    assert run.id == launched.id and run is runfolio.active_run()
    run.finish()
    assert runfolio.start().id != launched.id


@pytest.mark.parametrize(("by_default", "shown"), [(True, "script's"), (False, "launcher's")])
def test_the_script_chooses_the_experiment_where_the_launcher_only_guessed(monkeypatch, by_default, shown):
    """start(experiment=…) sets the launched run's experiment, unless it was given on the command line."""
    from runfolio.sdk.launched import About, begin_launched

    pen = begin_launched(About("launcher's", by_default=by_default))
    monkeypatch.setenv("RUNFOLIO_RUN_ID", pen.run_id)
    monkeypatch.setattr(exits, "_taken_in", 0)
    with runfolio.start(experiment="script's") as run:
        assert run.experiment == shown
    pen.close()
    assert past(run.id).state.experiment == shown


def test_a_launched_run_that_is_gone_does_not_stop_the_script(monkeypatch):
    """Where RUNFOLIO_RUN_ID names nothing that can be read, the script gets a run of its own and one warning."""
    monkeypatch.setenv("RUNFOLIO_RUN_ID", "0" * 32)
    monkeypatch.setattr(exits, "_taken_in", 0)
    with pytest.warns(runfolio.RunfolioWarning, match="cannot be joined"):
        run = runfolio.start()
    assert run.id != "0" * 32


def test_log_without_a_run_begins_one():
    """A script that only logs gets a run, which ends with it."""
    done = script(
        "import runfolio; runfolio.log({'a': 1.0}); runfolio.summary['b'] = 2; print(runfolio.active_run().id)"
    )
    state = past(done.stdout.strip()).state
    assert state.status_declared == "finished" and state.summary == {"b": 2}
