"""Folders that the original tracker left: what is read of them, what is told, and that nothing there is lost."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from dialects.lab.labs import history, index, old_entry, read_json, write_old
from runfolio.convert.foreign import ForeignRun, Skipped
from runfolio.convert.importers.lab import find
from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker


def runs_of(path: str) -> dict[str, ForeignRun]:
    return {found.aliases[0]: found for found in find(path) if isinstance(found, ForeignRun)}


def skipped_of(path: str) -> list[Skipped]:
    return [found for found in find(path) if isinstance(found, Skipped)]


@pytest.fixture
def old() -> str:
    """An honest old folder: a bare NaN, a run that never finished, one without metrics.json."""
    entries = [
        old_entry(1),
        old_entry(2, status="running", finished_at=None),
        old_entry(3, status="failed", experiment_name="ranking_model", tags={}, description=""),
    ]
    first = {"train_loss": history(0.7, math.nan, 0.5), "test_auc": history(last=0.81), "steps": history(10, 20)}
    params = {"learning_rate": 0.001, "hidden_dims": [8, 4], "a.b": 1}
    write_old("experiments", entries, {"run_001": (params, first), "run_002": (params, {}), "run_003": ({}, None)})
    plots = Path("experiments/runs/run_001/artifacts/plots")
    plots.mkdir()
    (plots / "roc.png").write_bytes(b"png")
    return "experiments"


@pytest.mark.parametrize("status", [{}, [], 3, True])
def test_a_status_that_is_no_text_stops_nothing(status: object) -> None:
    """An entry that somebody has broken is read as far as it goes, and the tracker goes on behind it."""
    write_old("experiments", [old_entry(1, status=status)], {"run_001": ({"lr": 1}, {"a": history(0.5)})})
    assert runs_of("experiments")["run_001"].reason == f"its status was {status}"
    assert ExperimentTracker().create_run("x") == "run_002"


def test_a_tag_that_no_run_can_have_is_told() -> None:
    """Half a surrogate pair as a tag is named and left out, and the run and those behind it come over."""
    write_old(
        "experiments",
        [old_entry(1, tags={"\ud800": "x", "v": "1"}), old_entry(2)],
        {"run_001": ({}, {}), "run_002": ({}, {})},
    )
    runs = runs_of("experiments")
    assert runs["run_001"].tags == {"v": "1"}
    assert any("surrogate" in skipped.reason for skipped in runs["run_001"].skipped)
    assert ExperimentTracker().create_run("x") == "run_003"
    assert len(runfolio.open_store().runs()) == 3


def test_a_folder_is_read_whole(old: str) -> None:
    """Params, calls with their times, artifacts, status and times come as they were."""
    runs = runs_of(old)
    first = runs["run_001"]
    assert (first.experiment, first.notes, first.tags) == ("ctr_model", "old number 1", {"version": "v1"})
    assert [(call.step, dict(call.values)) for call in first.calls if call.step != 1] == [
        (0, {"train_loss": 0.7, "steps": 10}), (2, {"train_loss": 0.5}), (None, {"test_auc": 0.81}),
    ]  # fmt: skip
    assert math.isnan(first.calls[1].values["train_loss"])
    assert type(first.calls[0].values["steps"]) is int
    assert [artifact.name for artifact in first.artifacts] == ["plots/roc.png"]
    assert [run.status for run in runs.values()] == ["finished", None, "failed"]
    assert runs["run_002"].ended_ns is None and first.ended_ns is not None


def test_a_missing_file_is_told(old: str) -> None:
    """A run without metrics.json is read, and says which file it has not."""
    (told,) = runs_of(old)["run_003"].skipped
    assert told.path.endswith("run_003/metrics.json") and "none" in told.reason
    assert skipped_of(old) == []


def test_a_torn_index_gives_what_stands_before_the_tear(old: str) -> None:
    """Of a metadata.json that was cut, the whole entries are used; other runs come from their folders, and all that is told."""
    path = Path(old, "metadata.json")
    text = path.read_text()
    path.write_text(text[: text.index('"run_002"') + 30])
    runs = runs_of(old)
    assert list(runs) == ["run_001", "run_002", "run_003"]
    assert [run.experiment for run in runs.values()] == ["ctr_model", None, None]
    assert [told.path for told in skipped_of(old)] == [str(path.absolute())]
    assert "metadata.json does not have this run" in runs["run_002"].skipped[0].reason


def test_a_torn_file_of_metrics_is_told(old: str) -> None:
    """A metrics.json that was cut loses its metrics and no more, and is named."""
    path = Path(old, "runs/run_001/metrics.json")
    path.write_text(path.read_text()[:-40])
    run = runs_of(old)["run_001"]
    assert (run.calls, run.params["learning_rate"]) == ([], 0.001)
    assert [told.path for told in run.skipped] == [str(path.absolute())]


def test_hostile_content_is_told_and_passed_over() -> None:
    """Entries that are none, ids that lead elsewhere, values without a step that is one: told by name, the rest is read."""
    entries = [old_entry(1), "x", {"run_id": "../../etc"}, old_entry(1), {"run_id": "mine", "experiment_name": 3}]
    metrics = {"a": [{"step": 0, "value": 1.0, "timestamp": "no time"}, {"step": 1.5, "value": 2.0}, 7], "b": "no list"}
    write_old("old", entries, {"run_001": ([], metrics), "mine": ({}, {})})  # type: ignore[dict-item, list-item]
    runs = runs_of("old")
    assert list(runs) == ["run_001", "mine"]
    assert [dict(call.values) for call in runs["run_001"].calls] == [{"a": 1.0}]
    assert len(runs["run_001"].skipped) == 3  # params.json, 2 entries of a, b
    assert len(skipped_of("old")) == 3
    assert [text for told in runs["mine"].skipped for text in [told.reason] if "no number" in text]


def test_what_is_no_lab_folder_is_told() -> None:
    """Another folder is one skipped path with the reason."""
    (told,) = find("nowhere")
    assert isinstance(told, Skipped) and "base_dir" in told.reason


def test_the_order_of_each_history_is_kept() -> None:
    """A history comes back entry by entry, whatever its clock and steps did."""
    jumps = [{"step": step, "value": value, "timestamp": f"2024-11-15T10:{minute}:00"} for step, value, minute in
             [(0, 1, 30), (1, 2, 31), (1, 3, 20), (0, 4, 20), (None, 5, 40), (9, 6, 35)]]  # fmt: skip
    write_old("experiments", [old_entry(1)], {"run_001": ({}, {"a": jumps, "b": history(0.1, 0.2, 0.3)})})
    run = ExperimentTracker().get_run("run_001")
    assert run is not None
    assert [(entry["step"], entry["value"]) for entry in run["metrics"]["a"]] == [
        (0, 1), (1, 2), (1, 3), (0, 4), (None, 5), (9, 6),
    ]  # fmt: skip
    assert [entry["value"] for entry in run["metrics"]["b"]] == [0.1, 0.2, 0.3]


# ------------------------------------------------------------------------------------------------------- in the dialect


def test_the_tracker_sees_old_runs(old: str) -> None:
    """The reading calls give old runs as they stand in their files, with the number of each."""
    tracker = ExperimentTracker(old)
    assert [run["run_id"] for run in tracker.list_runs()] == ["run_001", "run_002", "run_003"]
    run = tracker.get_run("run_001")
    assert run is not None
    assert run["params"] == {"learning_rate": 0.001, "hidden_dims": [8, 4], "a.b": 1}
    assert repr([entry["value"] for entry in run["metrics"]["train_loss"]]) == "[0.7, nan, 0.5]"
    assert run["metrics"]["train_loss"][0]["timestamp"] == "2024-11-15T10:31:00"
    assert {key: run[key] for key in ("created_at", "finished_at", "status")} == {
        "created_at": "2024-11-15T10:30:01", "finished_at": "2024-11-15T11:00:00", "status": "completed",
    }  # fmt: skip
    best = tracker.get_best_run("test_auc")
    assert best is not None and best["run_id"] == "run_001"
    assert Path(best["run_dir"], "artifacts/plots/roc.png").exists()


def test_numbers_go_on_behind_old_ones(old: str) -> None:
    """A new run takes the number behind the last; the index keeps the old entries to the letter."""
    before = index(old)
    tracker = ExperimentTracker(old)
    assert tracker.create_run("ctr_model") == "run_004"
    tracker.finish_run("run_004")
    assert index(old)[:3] == before
    assert [entry["run_id"] for entry in index(old)] == ["run_001", "run_002", "run_003", "run_004"]
    assert not Path(old, "metadata.json.runfolio").exists()
    assert Path(old, "runs/run_003").is_dir() and not Path(old, "runs/run_003/metrics.json").exists()


def test_a_gap_is_not_filled() -> None:
    """A number that an old folder has left out is given to nobody, and its files are safe."""
    write_old("experiments", [old_entry(2), old_entry(5)], {"run_002": ({}, {}), "run_005": ({}, {})})
    tracker = ExperimentTracker()
    assert [tracker.create_run("a") for _ in range(2)] == ["run_006", "run_007"]
    assert [run["run_id"] for run in tracker.list_runs()] == ["run_002", "run_005", "run_006", "run_007"]


def test_a_torn_index_is_left_as_it_is(old: str) -> None:
    """An index that cannot be read whole is not overwritten: ours stands beside, and numbers still go on behind the folders."""
    path = Path(old, "metadata.json")
    torn = path.read_text()[:-100]
    path.write_text(torn)
    tracker = ExperimentTracker(old)
    with pytest.warns(runfolio.RunfolioWarning):
        assert tracker.create_run("a") == "run_004"
    tracker.finish_run("run_004")
    assert path.read_text() == torn
    assert [entry["run_id"] for entry in read_json(f"{path}.runfolio")] == ["run_001", "run_002", "run_003", "run_004"]


def test_old_runs_can_be_written_on(old: str) -> None:
    """More can be logged to an old run, and it can be finished; its old values stay before the new ones, in the store and in its files."""
    tracker = ExperimentTracker(old)
    tracker.log_metrics("run_001", {"test_auc": 0.9})
    tracker.finish_run("run_002", "killed")
    run = tracker.get_run("run_001")
    assert run is not None
    assert [entry["value"] for entry in run["metrics"]["test_auc"]] == [0.81, 0.9]
    assert [entry["status"] for entry in index(old)] == ["completed", "killed", "failed"]
    tracker.finish_run("run_001")
    assert [entry["value"] for entry in read_json(f"{old}/runs/run_001/metrics.json")["test_auc"]] == [0.81, 0.9]
    assert [entry["value"] for entry in read_json(f"{old}/runs/run_001/metrics.json")["train_loss"]] == [
        0.7,
        "NaN",
        0.5,
    ]
    assert not list(Path(old).rglob("*.runfolio"))


def test_a_folder_is_taken_in_once(old: str) -> None:
    """Asking again, and from another process, brings in nothing twice."""
    code = "from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker as T; print(len(T().list_runs()))"
    ExperimentTracker(old).list_runs()
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "3\n"
    assert len(runfolio.open_store().runs()) == 3


def test_a_moved_folder_holds_the_same_runs(old: str) -> None:
    """A folder that was moved is known again: old runs and those that the tracker made are not brought in as new ones."""
    tracker = ExperimentTracker(old)
    tracker.log_metrics(tracker.create_run("a"), {"auc": 0.5})
    tracker.finish_run("run_004")
    ids = {run.id for run in runfolio.open_store().runs()}
    shutil.move(old, "moved")
    moved = ExperimentTracker("moved")
    assert [run["run_dir"] for run in moved.list_runs()][3] == "moved/runs/run_004"
    assert {run.id for run in runfolio.open_store().runs()} == ids
    assert moved.create_run("a") == "run_005"
    moved.finish_run("run_005")
    assert [entry["run_id"] for entry in index("moved")][3:] == ["run_004", "run_005"]
    assert not list(Path("moved").rglob("*.runfolio"))


def test_import_command_is_idempotent(old: str) -> None:
    """The import command brings the folder in once; the tracker then numbers on from it."""
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "runfolio", "import", "lab", old], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert len(runfolio.open_store().runs()) == 3
    assert runfolio.open_store().run("run_003").status == "failed"
    assert ExperimentTracker(old).create_run("a") == "run_004"


def test_a_hand_edited_index_is_left_as_it_is(old: str) -> None:
    """An index that somebody changed since we wrote it stays; ours stands beside."""
    tracker = ExperimentTracker(old)
    tracker.finish_run(tracker.create_run("a"))
    path = Path(old, "metadata.json")
    edited = [{**entry, "description": "edited"} for entry in index(old)]
    path.write_text(json.dumps(edited))
    tracker.finish_run(tracker.create_run("a"))
    assert read_json(path) == edited
    assert len(read_json(f"{path}.runfolio")) == 5
