"""A store that cannot be written: the run goes on in the spool and comes home, also where several handles do."""

from __future__ import annotations

import os

import pytest

import runfolio
from runfolio.store.gc import collect
from runfolio.store.layout import find
from runfolio.store.seal import seal
from sdk.told import past, points


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setenv("RUNFOLIO_CAPTURE", "none")


@pytest.fixture
def blocked(tmp_path):
    """A store that cannot be made, until the file that has its name is removed."""
    path = tmp_path / "store"
    path.write_text("in the way")
    return path


def test_F12_a_store_in_the_way_is_told_once_and_nothing_is_lost(blocked):
    """start() does not raise, one warning tells the cause, the numbers wait in the spool and come home at finish."""
    with pytest.warns(runfolio.RunfolioWarning, match="trouble") as told:
        run = runfolio.start()
        for step in range(10):
            run.log({"a": 1.0}, step=step)
    assert len(told) == 1 and run.spooling
    assert len(points(run.id)) == 10
    blocked.unlink()
    run.finish()
    assert os.listdir(os.path.join(run.folder, "journal")) and len(points(run.id)) == 10


@pytest.mark.filterwarnings("ignore::runfolio.RunfolioWarning")
def test_finish_moves_only_its_own_journals(blocked):
    """Of two handles that spool, the first to finish leaves the other's journal where that is written."""
    run = runfolio.start()
    other = runfolio.attach(run.id)
    run.log({"a": 1.0}, step=0)
    other.log({"b": 1.0}, step=0)
    blocked.unlink()
    run.finish()
    for step in range(1, 11):
        other.log({"b": 1.0}, step=step)
    other.finish()
    assert len(points(run.id)) == 12


def test_attach_and_resume_after_the_journals_were_collected():
    """A sealed run whose journals gc removed is joined and resumed by what the seal tells."""
    with runfolio.start(params={"lr": 0.1}) as run:
        for step in range(20):
            run.log({"a": 1.0}, step=step)
    seal(find(), run.id)
    collect(find(), journals=True)
    assert os.listdir(os.path.join(run.folder, "journal")) == []
    assert past(run.id).state.params == {"lr": 0.1} and past(run.id).high() == 19
    with runfolio.resume(run.id) as again:
        again.log({"a": 2.0})
        assert again.attempt == 2 and again.get_param("lr") == 0.1
    series = runfolio.open_store().run(run.id).series("a")
    assert (len(series), series.steps[-1], series.values[-1]) == (21, 20, 2.0)
