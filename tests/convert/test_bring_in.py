"""Foreign runs: their own times, taken over once, added to when their source grows."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import runfolio
from runfolio.convert.bring_in import bring_in
from runfolio.convert.foreign import ForeignArtifact, ForeignCall, ForeignRecord, ForeignRun
from runfolio.store.claims import claim, owner_of
from runfolio.store.layout import find

T0 = 1_700_000_000_000_000_000
S = 10**9


def foreign(count=3, **more):
    told = {
        "system": "old",
        "identity": "exp-1",
        "name": "first",
        "experiment": "digits",
        "aliases": ("run_001",),
        "params": {"lr": 0.1, "layers": [1, 2], "net": {"width": 3}},
        "tags": {"sweep": "a"},
        "notes": "by hand",
        "summary": {"acc": 0.5},
        "calls": [ForeignCall(n, {"loss": 1.0 / (n + 1), "n": n}, T0 + n * S) for n in range(count)],
        "records": [ForeignRecord(1, "text", T0 + S)],
        "created_ns": T0 - S,
        "ended_ns": T0 + 100 * S,
        "claims": [("lab", "/base:1")],
    }
    return ForeignRun(**{**told, **more})


def only(ref="run_001"):
    return runfolio.open_store().run(ref)


def test_everything_comes_over_with_its_own_times():
    """Names, params, points, records and times are those of the source."""
    Path("model.bin").write_bytes(b"weights")
    brought = bring_in(find(None), foreign(artifacts=[ForeignArtifact("model.bin", "best")]))
    assert brought.new
    run = only()
    assert (run.id, run.name, run.experiment, run.status) == (brought.run_id, "first", "digits", "finished")
    assert run.params == {"lr": 0.1, "layers": [1, 2], "net": {"width": 3}}
    assert (run.tags, run.notes, run.summary) == ({"sweep": "a"}, "by hand", {"acc": 0.5})
    series = run.series("loss")
    assert series.values.tolist() == [1.0, 0.5, 1 / 3]
    assert [round(t / S) * S for t in series.times.astype("int64").tolist()] == [T0, T0 + S, T0 + 2 * S]
    assert repr([value for _, value in run.series("n")]) == "[0, 1, 2]"
    assert [record.value for record in run.records] == ["text"]
    assert (run.created.timestamp(), run.ended.timestamp()) == ((T0 - S) / 1e9, (T0 + 100 * S) / 1e9)
    assert run.artifact("best").read_bytes() == b"weights"
    assert owner_of(find(None), "lab", "/base:1") == run.id


def test_again_changes_nothing():
    """Bringing in the same again writes nothing."""
    first = bring_in(find(None), foreign())
    before = sorted(path for path in Path("store").rglob("*"))
    again = bring_in(find(None), foreign())
    assert (again.run_id, again.new) == (first.run_id, False)
    assert sorted(path for path in Path("store").rglob("*")) == before


def test_source_that_grew_is_added_to():
    """What was added to the source is added to the run, which keeps its id."""
    first = bring_in(find(None), foreign(3, status=None, ended_ns=None))
    assert only().status == "lost"
    again = bring_in(find(None), foreign(5))
    assert (again.run_id, again.added) == (first.run_id, 2)
    assert only().series("n").values.tolist() == [0, 1, 2, 3, 4]
    assert len(only().records) == 1
    assert only().status == "finished"


def test_source_that_was_changed_replaces():
    """A source whose past was changed is taken over as it is now."""
    bring_in(find(None), foreign(3))
    changed = [ForeignCall(n, {"loss": 9.0}, T0 + n * S) for n in range(2)]
    bring_in(find(None), foreign(calls=changed, params={"lr": 0.2}))
    assert only().series("loss").values.tolist() == [9.0, 9.0]
    assert only().params["lr"] == 0.2


def test_hard_values_come_over():
    """NaN, infinities, steps below zero, none at all, times that fall or are missing, months between."""
    calls = [
        ForeignCall(-1, {"x": math.nan}, T0 + 5 * S),
        ForeignCall(0, {"x": -math.inf}, T0),
        ForeignCall(1, {"x": -0.0}, None),
        ForeignCall(2**62, {"x": 5e-324}, T0 + 10**7 * S),
        ForeignCall(None, {"x": 1.0, "ok": True}, T0 + 10**7 * S),
    ]
    bring_in(find(None), foreign(calls=calls, records=[]))
    series = only().series("x")
    assert repr(series.values.tolist()) == repr([math.nan, -math.inf, -0.0, 5e-324, 1.0])
    assert (series.times[1:] >= series.times[:-1]).all()


@pytest.mark.parametrize("status", ["failed", "killed"])
def test_status_comes_over(status):
    """How the run ended stands as its source told it."""
    bring_in(find(None), foreign(status=status, reason="why"))
    assert (only().status, only().status_reason) == (status, "why")


def test_nothing_is_left_of_an_import_that_fails():
    """An import that cannot be done leaves no half a run, and can be done again."""
    with pytest.raises(OSError):
        bring_in(find(None), foreign(artifacts=[ForeignArtifact("missing.bin", "best")]))
    assert not runfolio.open_store().runs()
    assert bring_in(find(None), foreign()).new
    assert len(runfolio.open_store().runs()) == 1


def test_what_this_store_has_rendered_is_not_brought_in():
    """A folder that was rendered from a run of this store is that run, by the name it has claimed."""
    with runfolio.start(capture=False) as run:
        claim(find(None), "lab", "/base:1", run.id)
    assert bring_in(find(None), foreign()) == (run.id, False, 0)
    assert len(runfolio.open_store().runs()) == 1


def test_two_that_bring_in_the_same_at_once():
    """Of several imports at once one brings a run in, and it has each point once."""
    find(None).create()
    for number in range(5):
        with ThreadPoolExecutor(4) as pool:
            told = foreign(300, identity=f"exp-{number}", aliases=(f"run_{number}",), claims=())
            brought = list(pool.map(lambda _: bring_in(find(None), told), range(4)))  # noqa: B023
        assert sorted(one.new for one in brought) == [False, False, False, True]
        assert len(only(f"run_{number}").series("loss").values) == 300
