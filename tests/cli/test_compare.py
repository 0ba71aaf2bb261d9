"""`runfolio compare`: what differs, how the metrics ended, which run is best."""

from __future__ import annotations

import csv
import io
import math

import pytest

from cli.calling import call, fine, settled, start


def three() -> list[str]:
    """Make three runs that differ in lr and seed; return their ids, the oldest first."""
    ids = []
    for number, loss in enumerate((0.5, 0.25, math.nan)):
        with start(
            name=f"r{number}", params={"lr": 0.1 / (number + 1), "seed": number, "layers": 2, "opt": "adam"}
        ) as run:
            run.define("loss", "min")
            run.log({"loss": loss, "time_s": 10 * number}, step=1)
        ids.append(run.id)
    return ids


GOLDEN = """\
status      id        name         lr  seed  loss   time_s
✓ finished  abc12345  r2    0.0333333     2   nan       20
✓ finished  abc12345  r1         0.05     1  0.25*      10
✓ finished  abc12345  r0          0.1     0  0.50        0
Same for all: layers=2, opt=adam
* best: lowest loss
"""


def test_the_table() -> None:
    """Params that differ are columns, the others one line; the best value by a declared goal is marked, never NaN."""
    three()
    assert settled(fine("compare").out) == GOLDEN


def test_named_runs_stand_in_the_order_given() -> None:
    """Runs that are named come in that order, each once."""
    ids = three()
    lines = fine("compare", "r1", ids[0][:8], ids[1]).lines
    assert [line.split()[3] for line in lines[1:3]] == ["r1", "r0"]
    assert fine("compare", "--experiment", "nobody").out == "No run fits.\n"
    assert call("compare", "r1", "--experiment", "default").code == 2


def test_a_narrow_screen_sets_runs_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the columns do not fit and the runs are few, each run is a column; nothing is hidden."""
    three()
    monkeypatch.setenv("COLUMNS", "50")
    assert (
        settled(fine("compare").out)
        == """\
        abc12345    abc12345    abc12345
name    r2          r1          r0
status  ✓ finished  ✓ finished  ✓ finished
lr      0.0333333   0.05        0.1
seed    2           1           0
loss    nan         0.25*       0.50
time_s  20          10          0
Same for all: layers=2, opt=adam
* best: lowest loss
"""
    )


def test_params_and_metrics_on_request() -> None:
    """Chosen params are shown though they are the same in all runs; an unknown name is told with those like it."""
    three()
    assert fine("compare", "-p", "opt,lr", "-m", "time_s").lines[0].split() == [
        "status",
        "id",
        "name",
        "opt",
        "lr",
        "time_s",
    ]
    for option in ("--params", "--metrics"):
        called = call("compare", option, "los")
        assert called.code == 1 and "none of these runs has the" in called.err
    assert "'loss'" in call("compare", "-m", "los").err


def test_json_and_csv() -> None:
    """JSON has a value for each run in the order of `runs`; CSV a row for each run."""
    ids = three()
    facts = fine("compare", "r0", "r1", "--json").json
    assert facts == {
        "runs": [{"id": ids[n], "name": f"r{n}", "experiment": "default", "status": "finished"} for n in (0, 1)],
        "params": {"lr": [0.1, 0.05], "seed": [0, 1]},
        "same_params": {"layers": 2, "opt": "adam"},
        "metrics": {"loss": [0.5, 0.25], "time_s": [0, 10]},
        "best": {"loss": ids[1]},
        "nonfinite": [],
    }
    rows = list(csv.DictReader(io.StringIO(fine("compare", "--csv").out)))
    assert [(row["id"], row["params.seed"], row["metrics.loss"]) for row in rows] == [
        (ids[2], "2", "nan"), (ids[1], "1", "0.25"), (ids[0], "0", "0.5"),
    ]  # fmt: skip


def test_nothing_to_compare() -> None:
    """Without runs it says how to go on, and JSON and CSV keep their shape."""
    assert "No runs yet" in fine("compare").out
    assert fine("compare", "--json").json["runs"] == []
    assert fine("compare", "--csv").out == "id,name,experiment,status\r\n"


def test_a_param_that_a_run_lacks_differs() -> None:
    """A param that only some runs have is shown, with `-` where it is missing and null where it is null."""
    for params in ({"a": None}, {"a": 1}, {}):
        start(params=params).finish()
    assert [line.split()[-1] for line in fine("compare").lines] == ["a", "-", "1", "null"]


def test_one_run_is_best_of_nothing() -> None:
    """A run compared with none has no mark."""
    with start() as run:
        run.define("loss", "min")
        run.log({"loss": 0.5})
    assert "*" not in fine("compare", run.id).out
