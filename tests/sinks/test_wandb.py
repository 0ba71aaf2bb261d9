"""W&B offline, read back from the file that its own process wrote."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from runfolio.sinks.wandb import WandbSink, column
from sinks.entries import RUN_ID, START_NS, Journal, about
from sinks.wandb_file import WandbFile, read


@pytest.fixture(autouse=True)
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep W&B offline and its files in the test's folder."""
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / f"wandb-{name.lower()}"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")


def open_sink(tmp_path: Path, about_it: dict[str, Any] | None = None, **options: Any) -> WandbSink:
    sink = WandbSink(dir=str(tmp_path), **options)
    sink.open(about(tmp_path, **(about_it or {})))
    return sink


def files(tmp_path: Path) -> list[WandbFile]:
    return [read(path) for path in sorted((tmp_path / "wandb").glob("offline-run-*/*.wandb"))]


def test_a_run_as_wandb_keeps_it(tmp_path: Path) -> None:
    """Id, name, project, config, tags, notes, one row for each call with its step and time, summary and end arrive."""
    journal, sink = Journal(), open_sink(tmp_path)
    calls = [
        journal.call(-1, loss=0.5),
        journal.call(7, loss=0.1 + 0.2, epoch=3, best=True),
        journal.call(0, loss=1.0),
        journal.call(None, auc=0.9),
        journal.call_of(3, {"loss": 1.0, "wéird/na.me": 6.5}, 2),
        journal.call(8, a=math.nan, b=-math.inf, step=4.5, _x=5.5),
    ]
    sink.log(calls)
    sink.record(2, {"sample": "the cat"}, START_NS)
    sink.params({"lr": 0.2, "model": {"width": 64, "depth": 2}})
    sink.describe(about(tmp_path, name="later", tags={"best": "", "team": "ml", "long": "x" * 99}))
    sink.summary({"r2": 0.5, "success": True, "step": 9})
    sink.close("failed", "ValueError: x")
    (found,) = files(tmp_path)
    assert (found.run.run_id, found.run.project) == (RUN_ID, "digits")
    assert (found.run.display_name, found.run.notes) == ("later", "a note")
    assert list(found.run.tags) == ["best", "team=ml", "long=" + "x" * 59]
    assert found.config["lr"] == 0.2
    assert found.config["model"] == {"width": 64, "depth": 2}
    rows = [
        {key: value for key, value in row.items() if key not in ("_runtime", "_step", "_timestamp")}
        for row in found.rows
    ]
    assert rows[:3] == [
        {"loss": 0.5, "step": -1},
        {"loss": 0.1 + 0.2, "epoch": 3, "best": True, "step": 7},
        {"loss": 1.0, "step": 0},
    ]
    assert type(rows[1]["epoch"]) is int
    assert rows[1]["best"] is True
    assert rows[3]["final/auc"] == 0.9
    assert rows[4] == {"loss/rank2": 1.0, "wéird/na.me/rank2": 6.5, "step": 3}
    assert (rows[5]["step"], rows[5]["metric/step"], rows[5]["metric/_x"]) == (8, 4.5, 5.5)
    a, b = float(rows[5]["a"]), float(rows[5]["b"])
    assert math.isnan(a)
    assert b == -math.inf
    assert rows[6]["step"] == 2
    assert [row["_timestamp"] for row in found.rows[:6]] == [call.time_ns / 1e9 for call in calls]
    assert found.summary["r2"] == 0.5
    assert found.summary["metric/step"] == 9
    assert found.exit_code == 1


def test_S4_17_the_options_go_to_wandb(tmp_path: Path) -> None:
    """Project, entity, config, id and what else `wandb.init` takes are handed on; the run's params win over config."""
    options = {"project": "rl", "entity": "my-team", "config": {"algo": "dqn", "lr": 9}, "id": "abc123"}
    sink = open_sink(tmp_path, **options, resume="must", init={"name": "mine", "tags": ["t"], "job_type": "train"})
    sink.describe(about(tmp_path, name="other"))
    sink.close("finished", None)
    (found,) = files(tmp_path)
    run = found.run
    assert (run.run_id, run.project, run.entity, run.display_name) == ("abc123", "rl", "my-team", "mine")
    assert (list(run.tags), run.job_type) == (["t"], "train")
    assert (found.config["algo"], found.config["lr"]) == ("dqn", 0.1)
    assert found.exit_code == 0


def test_a_later_attempt_is_the_same_run(tmp_path: Path) -> None:
    """Each attempt writes under the run's own id, which W&B puts together when it syncs."""
    for attempt in (1, 2):
        sink = open_sink(tmp_path, {"attempt": attempt})
        sink.log(list(Journal(attempt=attempt).calls(3)))
        sink.close("finished", None)
    ids = {found.run.run_id for found in files(tmp_path)}
    assert ids == {RUN_ID}
    assert sum(len(found.rows) for found in files(tmp_path)) == 6


def test_a_big_batch(tmp_path: Path) -> None:
    """5,000 calls at once, in falling steps, are 5,000 rows: none is dropped for its step."""
    journal, sink = Journal(), open_sink(tmp_path)
    sink.log([journal.call(step, loss=float(step)) for step in range(5_000, 0, -1)])
    sink.close("finished", None)
    (found,) = files(tmp_path)
    assert [(row["step"], row["loss"]) for row in found.rows] == [(step, float(step)) for step in range(5_000, 0, -1)]


def test_columns_of_wandbs_own_are_left_alone() -> None:
    """A metric named as one of W&B's columns, or as our step, gets a prefix; all others keep their names."""
    assert [column(name) for name in ("step", "_step", "system/cpu")] == [
        "metric/step",
        "metric/_step",
        "metric/system/cpu",
    ]
    assert [column(name) for name in ("loss", "val/loss", "steps", "a.b")] == ["loss", "val/loss", "steps", "a.b"]
