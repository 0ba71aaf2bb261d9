"""TensorBoard's event files, read back by TensorBoard's own reader."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from runfolio.sinks import tensorboard as module
from runfolio.sinks.tensorboard import TensorBoardSink
from sinks.entries import RUN_ID, START_NS, Journal, about


@pytest.fixture(params=["tensorboardX", "tensorboard"])
def package(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Write by each of the two packages."""
    real = module.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: real(name) if name == request.param else None)
    yield request.param


def read(folder: Path) -> Any:
    """Read a folder as TensorBoard does, without leaving points out."""
    return EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0}).Reload()


def points(found: Any, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in found.Scalars(tag)]


def text(found: Any, name: str) -> Any:
    return json.loads(found.Tensors(f"{name}/text_summary")[-1].tensor_proto.string_val[0])


def open_sink(tmp_path: Path, **given: Any) -> TensorBoardSink:
    sink = TensorBoardSink(str(tmp_path / "logs"))
    sink.open(about(tmp_path, **given))
    return sink


def test_S4_20_numbers_become_scalars(tmp_path: Path, package: str) -> None:
    """Ints, floats and bools come back as scalars, each at its step and wall time, negative steps and order kept."""
    journal, sink = Journal(), open_sink(tmp_path)
    calls = [journal.call(-1, loss=0.5), journal.call(7, loss=0.25, epoch=3, best=True), journal.call(0, loss=1.0)]
    sink.log(calls)
    sink.close("finished", None)
    found = read(tmp_path / "logs")
    assert points(found, "loss") == [(-1, 0.5), (7, 0.25), (0, 1.0)]
    assert points(found, "epoch") == [(7, 3.0)]
    assert points(found, "best") == [(7, 1.0)]
    assert [event.wall_time for event in found.Scalars("loss")] == [call.time_ns / 1e9 for call in calls]
    assert START_NS / 1e9 < found.Scalars("loss")[0].wall_time < START_NS / 1e9 + 60


def test_what_is_no_finite_float32(tmp_path: Path, package: str) -> None:
    """NaN and the infinities come back; what float32 cannot hold becomes infinite, and nothing raises."""
    sink = open_sink(tmp_path)
    sink.log([Journal().call(1, a=math.nan, b=-math.inf, c=1e300, d=-(2**62), e=0.1)])
    sink.close("finished", None)
    found = read(tmp_path / "logs")
    ((_, a),), ((_, b),), ((_, c),), ((_, d),), ((_, e),) = (points(found, tag) for tag in "abcde")
    assert math.isnan(a)
    assert (b, c, d) == (-math.inf, math.inf, -(2.0**62))
    assert e == pytest.approx(0.1, rel=1e-7)


def test_points_without_a_step_and_of_ranks_have_tags_of_their_own(tmp_path: Path, package: str) -> None:
    """A final point is `final/<name>`, counted over the attempts; a rank's is `<name>/rank<r>`; any name is a tag."""
    journal, sink = Journal(), open_sink(tmp_path)
    sink.log([journal.call(None, auc=0.9), journal.call(None, auc=0.8), journal.call_of(3, {"loss": 1.0}, 2)])
    sink.log([journal.call_of(1, {"wéird name:/x": 4.0})])
    sink.close("finished", None)
    sink = open_sink(tmp_path, attempt=2)
    sink.log([journal.call(None, auc=0.7)])
    sink.close("finished", None)
    found = read(tmp_path / "logs")
    assert [step for step, _ in points(found, "final/auc")] == [0, 1, 2]
    assert points(found, "loss/rank2") == [(3, 1.0)]
    assert points(found, "wéird name:/x") == [(1, 4.0)]


def test_params_summary_records_and_status_are_texts(tmp_path: Path, package: str) -> None:
    """What is not a metric is a text beside the scalars."""
    sink = open_sink(tmp_path)
    sink.record(4, {"sample": "the cat"}, START_NS)
    sink.summary({"r2": 0.5, "success": True, "note": "x"})
    sink.close("failed", "ValueError")
    found = read(tmp_path / "logs")
    assert text(found, "params") == {"lr": 0.1, "model": {"width": 64}}
    assert text(found, "run") == {
        "run_id": RUN_ID,
        "attempt": 1,
        "name": "mlp-64",
        "experiment": "digits",
        "tags": {"baseline": "", "team": "ml"},
        "notes": "a note",
    }
    assert text(found, "record") == {"sample": "the cat"}
    assert text(found, "summary") == {"r2": 0.5, "success": True, "note": "x"}
    assert points(found, "summary/r2") == [(0, 0.5)]
    assert text(found, "status") == {"status": "failed", "reason": "ValueError"}


def test_a_rewind_hides_the_points_of_the_attempt_before(tmp_path: Path, package: str) -> None:
    """After a rewind TensorBoard shows the new attempt's points from that step on."""
    sink = open_sink(tmp_path)
    sink.log(list(Journal().calls(10)))
    sink.close("killed", None)
    again, sink = Journal("e" * 32, 2), open_sink(tmp_path, attempt=2)
    sink.rewind(5)
    sink.log([again.call(5, loss=50.0), again.call(6, loss=60.0)])
    sink.close("finished", None)
    assert points(read(tmp_path / "logs"), "loss") == [*((s, float(s)) for s in range(5)), (5, 50.0), (6, 60.0)]


def test_a_big_batch(tmp_path: Path) -> None:
    """20,000 calls at once all come back."""
    sink = open_sink(tmp_path)
    sink.log(list(Journal().calls(20_000)))
    sink.close("finished", None)
    assert points(read(tmp_path / "logs"), "loss") == [(step, float(step)) for step in range(20_000)]


def test_what_log_has_taken_is_readable_at_once(tmp_path: Path, package: str) -> None:
    """A live TensorBoard sees the points before the run ends."""
    sink = open_sink(tmp_path)
    sink.log([Journal().call(1, loss=1.0)])
    assert points(read(tmp_path / "logs"), "loss") == [(1, 1.0)]
    sink.close("finished", None)
