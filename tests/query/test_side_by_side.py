"""A few runs side by side, and runs found by their ids at once."""

from __future__ import annotations

import math
import shutil

import pytest

import runfolio
from query.runs import end_run, make_run, make_store
from query.test_overview import add
from runfolio.errors import AmbiguousRun, RunNotFound
from runfolio.query.named import runs_named
from runfolio.query.side_by_side import Section, side_by_side


def compare(ids: list[str], baseline: int = 0) -> dict[str, Section]:
    store = runfolio.open_store()
    return {one.name: one for one in side_by_side(store, runs_named(store, ids), baseline)}


def test_only_what_differs_is_a_row() -> None:
    """Params and metrics that are the same in all are counted; of the others each value, and whether it is the baseline's."""
    layout = make_store()
    ids = [
        add(layout, {"lr": lr, "opt": "adam"}, {"loss": loss, "same": 1.0, "nan": math.nan}, {"loss": "min"})
        for lr, loss in ((1, 0.5), (1.0, 0.25), (1, math.nan))
    ]
    add(layout)
    found = compare(ids, baseline=1)
    assert found.keys() == {"params", "metrics"}
    (lr,) = found["params"].rows
    assert (lr.key, lr.values, lr.differs, found["params"].equal) == ("lr", [1, 1.0, 1], [True, False, True], 1)
    (loss,) = found["metrics"].rows
    assert (loss.goal, list(loss.best), loss.differs) == ("min", [1], [True, False, True])
    assert list(loss.delta) == [0.25, None, None] and found["metrics"].equal == 2


def test_what_one_run_lacks_is_none() -> None:
    """A param, a metric and a package that a run lacks differ, and stand as none."""
    layout = make_store()
    ids = [add(layout, {"a": None}, {"m": 1.0}), add(layout)]
    run_id, writer = make_run(layout)
    for field, value in (("packages", {"torch": "2.3"}), ("git", {"commit": "c" * 40, "patch": "secret\n" * 9})):
        writer.event({"type": "capture", "field": field, "value": value})
    end_run(writer)
    found = compare([*ids, run_id])
    told = {name: {row.key: (row.values, row.differs) for row in one.rows} for name, one in found.items()}
    assert told["params"] == {"a": ([None] * 3, [False, True, True])}
    assert told["metrics"] == {"m": ([1.0, None, None], [False, True, True])}
    assert told["packages"] == {"torch": ([None, None, "2.3"], [False, False, True])}
    assert told["code"]["commit"][0] == [None, None, "c" * 40]
    assert told["code"]["patch"][0][2].startswith("9 lines, ") and "secret" not in str(told)


def test_many_runs_are_found_by_their_ids_at_once() -> None:
    """Runs come in the order of their ids, once each; one that is gone is left out, and all gone are told."""
    layout = make_store()
    ids = [add(layout, {"a": number}) for number in range(4)]
    store = runfolio.open_store()
    assert [run.id for run in runs_named(store, [ids[2], ids[0][:8], ids[2][:9], "0" * 32])] == [ids[2], ids[0]]
    assert runs_named(store, ids)[0] is store.run(ids[0])
    assert runs_named(store, []) == []
    with pytest.raises(RunNotFound):
        runs_named(store, ["0" * 32, "f" * 8])
    shutil.rmtree(layout.run(ids[3]))
    with pytest.raises(RunNotFound):
        runs_named(runfolio.open_store(), [ids[3]])


def test_a_beginning_that_fits_several_runs_is_refused() -> None:
    """An id that is cut too short names no run."""
    layout = make_store()
    for end in "ab":
        _, writer = make_run(layout, run_id="12345678" + "0" * 23 + end)
        end_run(writer)
    with pytest.raises(AmbiguousRun):
        runs_named(runfolio.open_store(), ["12345678"])
