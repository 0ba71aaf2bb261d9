"""An MLflow store of SQLite, read back by MLflow's own client."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from runfolio.sinks.mlflow import MlflowSink, allowed_name
from sinks.entries import RUN_ID, START_NS, Journal, about


@pytest.fixture
def uri(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    yield f"sqlite:///{tmp_path}/mlflow.db"


def open_sink(tmp_path: Path, uri: str, **given: Any) -> MlflowSink:
    sink = MlflowSink(tracking_uri=uri)
    sink.open(about(tmp_path, **given))
    return sink


def only_run(uri: str, experiment: str = "digits") -> Any:
    client = MlflowClient(uri)
    (run,) = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return run


def history(uri: str, run: Any, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in MlflowClient(uri).get_metric_history(run.info.run_id, name)]


def test_a_run_as_mlflow_shows_it(tmp_path: Path, uri: str) -> None:
    """Name, experiment, params, tags, notes, metrics with step and time, summary and status arrive."""
    journal, sink = Journal(), open_sink(tmp_path, uri)
    calls = [journal.call(-1, loss=0.5), journal.call(7, loss=0.1 + 0.2, epoch=3, best=True), journal.call(0, loss=1.0)]
    sink.log(calls)
    sink.record(2, {"sample": "the cat"}, START_NS)
    sink.summary({"r2": 0.5, "model.kind": "mlp"})
    sink.close("failed", "ValueError: x")
    run = only_run(uri)
    assert (run.info.run_name, run.info.status, run.info.start_time) == ("mlp-64", "FAILED", START_NS // 10**6)
    assert run.data.params == {"lr": "0.1", "model.width": "64"}
    wanted = {
        "baseline": "",
        "team": "ml",
        "mlflow.note.content": "a note",
        "runfolio.run_id": RUN_ID,
        "runfolio.status": "failed",
        "runfolio.reason": "ValueError: x",
        "summary.r2": "0.5",
        "summary.model.kind": "mlp",
    }
    assert {key: run.data.tags.get(key) for key in wanted} == wanted
    assert json.loads(run.data.tags["record"]) == {"step": 2, "value": {"sample": "the cat"}}
    assert sorted(history(uri, run, "loss")) == [(-1, 0.5), (0, 1.0), (7, 0.1 + 0.2)]
    assert history(uri, run, "epoch") == [(7, 3.0)]
    assert history(uri, run, "best") == [(7, 1.0)]
    points = MlflowClient(uri).get_metric_history(run.info.run_id, "loss")
    assert sorted(point.timestamp for point in points) == [call.time_ns // 10**6 for call in calls]


def test_nan_and_the_infinities(tmp_path: Path, uri: str) -> None:
    """NaN comes back; MLflow's SQL store keeps the infinities as its largest numbers, and nothing raises."""
    sink = open_sink(tmp_path, uri)
    sink.log([Journal().call(1, a=math.nan, b=-math.inf, c=math.inf)])
    sink.close("finished", None)
    run = only_run(uri)
    ((_, a),), ((_, b),), ((_, c),) = (history(uri, run, name) for name in "abc")
    assert math.isnan(a)
    assert b < -1.7e308
    assert c > 1.7e308


def test_points_without_a_step_and_of_ranks(tmp_path: Path, uri: str) -> None:
    """A final point is `final/<name>`, counted over the attempts; a rank's is `<name>/rank<r>`."""
    journal, sink = Journal(), open_sink(tmp_path, uri)
    sink.log([journal.call(None, auc=0.9), journal.call(None, auc=0.8), journal.call_of(3, {"loss": 1.0}, 2)])
    sink.close("finished", None)
    sink = open_sink(tmp_path, uri, attempt=2)
    sink.log([journal.call(None, auc=0.7)])
    sink.close("finished", None)
    run = only_run(uri)
    assert sorted(history(uri, run, "final/auc")) == [(0, 0.9), (1, 0.8), (2, 0.7)]
    assert history(uri, run, "loss/rank2") == [(3, 1.0)]


NAMES = ["wéird", "a//b", "../up", "..x", "/top", "tail/", ".", "%", "a" * 300, "a\nb", "x[0]", "ok/név"]


def test_names_that_mlflow_refuses_are_mapped(tmp_path: Path, uri: str) -> None:
    """Every metric, param and tag name arrives; one that MLflow refuses under another that tells them apart."""
    sink = open_sink(tmp_path, uri, params=dict.fromkeys(NAMES, 1), tags=dict.fromkeys(NAMES, "x"))
    sink.log([Journal().call_of(1, {name: float(place) for place, name in enumerate(NAMES)})])
    sink.close("finished", None)
    run = only_run(uri)
    assert len({allowed_name(name) for name in NAMES}) == len(NAMES)
    assert run.data.metrics == {allowed_name(name): float(place) for place, name in enumerate(NAMES)}
    assert {allowed_name(name) for name in NAMES} <= run.data.tags.keys()
    assert len(run.data.params) == len(NAMES)


def test_names_that_mlflow_takes_stay() -> None:
    """An ordinary name is not touched."""
    for name in ("loss", "val/loss", "a.b-c_d e:f", "final/auc", "x" * 250, "v1.0"):
        assert allowed_name(name) == name


def test_long_texts_are_cut(tmp_path: Path, uri: str) -> None:
    """A param or tag longer than MLflow takes is cut, and nothing else is lost by it."""
    sink = open_sink(tmp_path, uri, params={"long": "x" * 7000, "lr": 1}, tags={"t": "y" * 9000})
    sink.params({"long": "x" * 7000, "lr": 1})
    sink.close("finished", None)
    run = only_run(uri)
    assert run.data.params == {"long": "x" * 5999 + "…", "lr": "1"}
    assert run.data.tags["t"] == "y" * 7999 + "…"
    assert "param.long" not in run.data.tags


def test_a_changed_param_is_a_tag(tmp_path: Path, uri: str) -> None:
    """MLflow never changes a param; the later value stands in the tag `param.<key>`, new ones are params."""
    sink = open_sink(tmp_path, uri)
    sink.params({"lr": 0.2, "model": {"width": 64, "depth": 2}})
    sink.close("finished", None)
    run = only_run(uri)
    assert run.data.params == {"lr": "0.1", "model.width": "64", "model.depth": "2"}
    assert run.data.tags["param.lr"] == "0.2"
    assert "param.model.width" not in run.data.tags


def test_a_later_attempt_continues_the_run(tmp_path: Path, uri: str) -> None:
    """Another attempt goes on in the same MLflow run; the same points again are not doubled."""
    calls = list(Journal().calls(10))
    sink = open_sink(tmp_path, uri)
    sink.log(calls)
    sink.close("killed", "SIGKILL")
    assert only_run(uri).info.status == "KILLED"
    sink = open_sink(tmp_path, uri, attempt=2, tags={"new": "1"})
    assert only_run(uri).info.status == "RUNNING"
    sink.log([*calls, Journal("e" * 32, 2).call(10, loss=10.0)])
    sink.close("finished", None)
    run = only_run(uri)
    assert run.info.status == "FINISHED"
    assert sorted(history(uri, run, "loss")) == [(step, float(step)) for step in range(11)]


def test_a_run_that_was_deleted_there_begins_anew(tmp_path: Path, uri: str) -> None:
    """Where the MLflow run is gone, the next attempt begins another one and does not fail."""
    sink = open_sink(tmp_path, uri)
    sink.close("finished", None)
    gone = only_run(uri).info.run_id
    MlflowClient(uri).delete_run(gone)
    sink = open_sink(tmp_path, uri, attempt=2)
    sink.close("finished", None)
    assert only_run(uri).info.run_id != gone


def test_tags_that_are_removed_go(tmp_path: Path, uri: str) -> None:
    """A tag that the run loses is removed there, one that it gets is added."""
    sink = open_sink(tmp_path, uri)
    sink.describe(about(tmp_path, name="later", tags={"best": ""}))
    sink.close("finished", None)
    run = only_run(uri)
    assert run.info.run_name == "later"
    assert "best" in run.data.tags
    assert "baseline" not in run.data.tags


def test_a_big_batch(tmp_path: Path, uri: str) -> None:
    """2,500 points and 250 params go in batches as large as MLflow takes."""
    sink = open_sink(tmp_path, uri, params={f"p{i}": i for i in range(250)})
    sink.log(list(Journal().calls(2_500)))
    sink.close("finished", None)
    run = only_run(uri)
    assert len(run.data.params) == 250
    assert len(history(uri, run, "loss")) == 2_500


def test_open_that_failed_half_way_makes_no_second_run(tmp_path: Path, uri: str) -> None:
    """Where the run over there was made and could not be remembered, opening again goes on with it."""
    (tmp_path / "run").write_text("in the way", encoding="utf-8")
    sink = MlflowSink(tracking_uri=uri)
    for _ in range(2):
        with pytest.raises(OSError):
            sink.open(about(tmp_path))
    (tmp_path / "run").unlink()
    sink.open(about(tmp_path))
    sink.close("finished", None)
    assert only_run(uri).info.status == "FINISHED"
