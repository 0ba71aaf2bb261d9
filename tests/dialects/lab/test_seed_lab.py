"""Each promise of the lab's document, by its number."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

import runfolio
from dialects.lab.labs import (
    SHOWN,
    compare,
    history,
    index,
    make_shown,
    old_entry,
    read_json,
    script,
    wait_for,
    write_old,
)
from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker
from runfolio.errors import InvalidValue, RunNotFound, UsageError

SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@pytest.fixture
def tracker() -> ExperimentTracker:
    return ExperimentTracker(base_dir="experiments")


# -------------------------------------------------------------------------------------------------------------- storage


def test_S3_01_metadata_is_an_array_of_all_runs(tracker: ExperimentTracker) -> None:
    """experiments/metadata.json is one JSON array that indexes all runs."""
    first, second = tracker.create_run("ctr_model"), tracker.create_run("ranking_model")
    tracker.finish_run(first)
    tracker.finish_run(second)
    assert [entry["run_id"] for entry in index()] == [first, second]


def test_S3_02_a_run_has_its_files_and_artifacts(tracker: ExperimentTracker) -> None:
    """A run's folder has params.json, metrics.json and artifacts/, which may have folders."""
    run_id = tracker.create_run("ctr_model")
    Path("curve.png").write_bytes(b"png")
    tracker.log_artifact(run_id, "curve.png", "plots/curve.png")
    tracker.finish_run(run_id)
    folder = Path("experiments/runs/run_001")
    assert {path.name for path in folder.iterdir()} == {"params.json", "metrics.json", "artifacts"}
    assert (folder / "artifacts/plots/curve.png").read_bytes() == b"png"
    assert read_json(folder / "params.json") == read_json(folder / "metrics.json") == {}


def test_S3_03_numbers_run_over_all_experiments(tracker: ExperimentTracker) -> None:
    """Run ids count over all experiments, padded to three digits."""
    assert [tracker.create_run(name) for name in ("a", "b", "a")] == ["run_001", "run_002", "run_003"]


def test_S3_03_after_999_comes_1000() -> None:
    """Counting goes on with four digits."""
    write_old("experiments", [old_entry(999, created_at="2024-11-15T10:30:00")], {"run_999": ({}, {})})
    tracker = ExperimentTracker()
    assert tracker.create_run("ctr_model") == "run_1000"
    assert [run["run_id"] for run in tracker.list_runs()] == ["run_999", "run_1000"]


def test_S3_03_a_number_is_never_given_twice(tracker: ExperimentTracker) -> None:
    """The number of a deleted run is not used again."""
    tracker.finish_run(tracker.create_run("ctr_model"))
    gone = runfolio.open_store().run("run_001").id
    subprocess.run([sys.executable, "-m", "runfolio", "delete", gone], check=True, capture_output=True)
    assert tracker.create_run("ctr_model") == "run_002"
    assert [run["run_id"] for run in tracker.list_runs()] == ["run_002"]


def test_S3_04_params_json_is_flat_with_nested_values(tracker: ExperimentTracker) -> None:
    """params.json is the dict that was logged; a value may be a list or a dict."""
    params = {
        "learning_rate": 0.001,
        "hidden_dims": [256, 128, 64],
        "optimizer": {"name": "adam", "betas": [0.9, 0.95]},
    }
    run_id = tracker.create_run("ctr_model")
    tracker.log_params(run_id, params)
    tracker.finish_run(run_id)
    assert read_json("experiments/runs/run_001/params.json") == params


def test_S3_05_metrics_json_is_a_dict_of_histories(tracker: ExperimentTracker) -> None:
    """metrics.json has for each metric a list of step, value and timestamp; an int stays an int, a bool a bool."""
    run_id = tracker.create_run("ctr_model")
    tracker.log_metrics(run_id, {"loss": 0.5, "batches": 3, "is_best": True}, step=0)
    tracker.finish_run(run_id)
    found = read_json("experiments/runs/run_001/metrics.json")
    assert [(name, [entry["value"] for entry in history]) for name, history in found.items()] == [
        ("loss", [0.5]), ("batches", [3]), ("is_best", [True]),
    ]  # fmt: skip
    assert type(found["batches"][0]["value"]) is int
    assert [list(entry) for entry in found["loss"]] == [["step", "value", "timestamp"]]


def test_S3_05_files_are_strict_json(tracker: ExperimentTracker) -> None:
    """NaN and the infinities are text in the files, and floats again for whoever asks the tracker."""
    run_id = tracker.create_run("ctr_model")
    tracker.log_params(run_id, {"clip": float("inf")})
    tracker.log_metrics(run_id, {"loss": float("nan")}, step=0)
    tracker.log_metrics(run_id, {"loss": float("-inf")}, step=1)
    tracker.finish_run(run_id)
    assert read_json("experiments/runs/run_001/params.json") == {"clip": "Infinity"}
    entries = read_json("experiments/runs/run_001/metrics.json")["loss"]
    assert [entry["value"] for entry in entries] == ["NaN", "-Infinity"]
    run = tracker.get_run(run_id)
    assert run is not None and run["params"] == {"clip": float("inf")}
    assert repr([entry["value"] for entry in run["metrics"]["loss"]]) == "[nan, -inf]"


def test_S3_06_metadata_has_the_documented_fields(tracker: ExperimentTracker) -> None:
    """An entry has eight fields; run_dir begins with the base_dir as the user gave it."""
    tracker.create_run("ctr_model", tags={"version": "v1", "team": "ml"}, description="Testing higher learning rate")
    tracker.finish_run("run_001")
    (entry,) = index()
    assert list(entry) == [
        "run_id", "experiment_name", "created_at", "finished_at", "status", "tags", "description", "run_dir",
    ]  # fmt: skip
    assert entry["tags"] == {"version": "v1", "team": "ml"}
    assert entry["description"] == "Testing higher learning rate"
    assert entry["run_dir"] == "experiments/runs/run_001"


def test_S3_06_run_dir_begins_as_whoever_made_the_run_named_the_folder(tmp_path: Path) -> None:
    """Two names of one folder share its numbers; each run keeps the name it was made under."""
    one, other = ExperimentTracker("experiments"), ExperimentTracker(tmp_path / "experiments")
    one.finish_run(one.create_run("a"))
    other.finish_run(other.create_run("a"))
    assert [entry["run_dir"] for entry in index()] == [
        "experiments/runs/run_001", str(tmp_path / "experiments/runs/run_002"),
    ]  # fmt: skip
    assert [run["run_dir"] for run in one.list_runs()][1] == "experiments/runs/run_002"


def test_S3_07_timestamps_are_local_and_in_seconds(tracker: ExperimentTracker) -> None:
    """Times are ISO 8601, local, without a zone, in seconds."""
    before = datetime.now().replace(microsecond=0)
    run_id = tracker.create_run("ctr_model")
    tracker.log_metrics(run_id, {"loss": 0.5})
    tracker.finish_run(run_id)
    run = tracker.get_run(run_id)
    assert run is not None
    for text in (run["created_at"], run["finished_at"], run["metrics"]["loss"][0]["timestamp"]):
        assert SECONDS.fullmatch(text)
        assert before <= datetime.fromisoformat(text) <= datetime.now()


# ------------------------------------------------------------------------------------------------------------------ API


def test_S3_08_base_dir_defaults_to_experiments_and_is_made() -> None:
    """Without an argument the folder is `experiments`; it is made with all above it."""
    ExperimentTracker()
    assert Path("experiments").is_dir()
    ExperimentTracker(base_dir="a/b")
    assert Path("a/b/runs").is_dir()


def test_S3_08_a_file_is_no_base_dir() -> None:
    """A base_dir that is a file is refused by name."""
    Path("taken").write_text("x")
    with pytest.raises(UsageError, match="taken"):
        ExperimentTracker("taken")


def test_S3_09_create_run_takes_tags_and_description(tracker: ExperimentTracker) -> None:
    """create_run gives the run's id; tags are a dict, the description is text; both may be left out."""
    run_id = tracker.create_run("ctr_model", tags={"version": "v1"}, description="d")
    bare = tracker.create_run(experiment_name="ctr_model")
    assert [(run["tags"], run["description"]) for run in tracker.list_runs()] == [({"version": "v1"}, "d"), ({}, "")]
    assert [run_id, bare] == ["run_001", "run_002"]


def test_S3_10_several_runs_may_be_open(tracker: ExperimentTracker) -> None:
    """Calls name their run: what goes to one does not reach the other."""
    one, other = tracker.create_run("a"), tracker.create_run("a")
    for step in range(3):
        tracker.log_metrics(one, {"loss": 1.0 + step}, step=step)
        tracker.log_metrics(other, {"loss": 2.0 + step}, step=step)
    runs = [tracker.get_run(text) for text in (one, other)]
    values = [[entry["value"] for entry in run["metrics"]["loss"]] for run in runs if run]
    assert values == [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]


def test_S3_11_log_params_again_merges(tracker: ExperimentTracker) -> None:
    """A second log_params adds to the first; of a key that both have the later value wins."""
    run_id = tracker.create_run("ctr_model")
    tracker.log_params(run_id, {"lr": 0.1, "dims": [1, 2]})
    tracker.log_params(run_id, {"lr": 0.2, "seed": 1})
    tracker.finish_run(run_id)
    expected = {"lr": 0.2, "dims": [1, 2], "seed": 1}
    assert read_json("experiments/runs/run_001/params.json") == expected
    run = tracker.get_run(run_id)
    assert run is not None and run["params"] == expected


def test_S3_12_log_metrics_many_times(tracker: ExperimentTracker) -> None:
    """A metric's history grows with each call; keys may differ from call to call."""
    run_id = tracker.create_run("ctr_model")
    tracker.log_metrics(run_id, {"loss": 0.5}, step=0)
    tracker.log_metrics(run_id, {"loss": 0.4, "val_auc": 0.7}, step=1)
    run = tracker.get_run(run_id)
    assert run is not None
    assert {name: len(history) for name, history in run["metrics"].items()} == {"loss": 2, "val_auc": 1}


def test_S3_13_without_a_step_is_null(tracker: ExperimentTracker) -> None:
    """A value without a step has none: nothing is counted up."""
    run_id = tracker.create_run("ctr_model")
    tracker.log_metrics(run_id, {"loss": 0.5}, step=7)
    tracker.log_metrics(run_id, {"loss": 0.3})
    tracker.log_metrics(run_id, {"loss": 0.2})
    tracker.finish_run(run_id)
    entries = read_json("experiments/runs/run_001/metrics.json")["loss"]
    assert [(entry["step"], entry["value"]) for entry in entries] == [(7, 0.5), (None, 0.3), (None, 0.2)]


def test_S3_13_final_values_may_be_text_or_none(tracker: ExperimentTracker) -> None:
    """Among final values text and None are kept; at a step they are refused by name, and nothing of the call is kept."""
    run_id = tracker.create_run("ctr_model")
    tracker.log_metrics(run_id, {"auc": 0.9, "verdict": "good", "missing": None})
    with pytest.raises(InvalidValue, match="verdict"):
        tracker.log_metrics(run_id, {"auc": 0.8, "verdict": "good"}, step=1)
    run = tracker.get_run(run_id)
    assert run is not None
    values = {name: [entry["value"] for entry in history] for name, history in run["metrics"].items()}
    assert values == {"auc": [0.9], "verdict": ["good"], "missing": [None]}


def test_S3_14_the_same_step_twice_is_two_entries(tracker: ExperimentTracker) -> None:
    """Two calls at one step stay two entries, in the order of calls; steps may go back."""
    run_id = tracker.create_run("ctr_model")
    for step, value in ((5, 0.5), (5, 0.6), (2, 0.7), (-1, 0.8)):
        tracker.log_metrics(run_id, {"loss": value}, step=step)
    tracker.finish_run(run_id)
    entries = read_json("experiments/runs/run_001/metrics.json")["loss"]
    assert [(entry["step"], entry["value"]) for entry in entries] == [(5, 0.5), (5, 0.6), (2, 0.7), (-1, 0.8)]


def test_S3_15_log_artifact_copies_the_file(tracker: ExperimentTracker) -> None:
    """The copy is there at once, under the given name or the file's own; the store has the bytes too."""
    run_id = tracker.create_run("ctr_model")
    Path("path/to").mkdir(parents=True)
    Path("path/to/model.pt").write_bytes(b"weights")
    target = tracker.log_artifact(run_id, "path/to/model.pt")
    tracker.log_artifact(run_id, Path("path/to/model.pt"), "model_best.pt")
    assert target == "experiments/runs/run_001/artifacts/model.pt"
    assert Path(target).read_bytes() == Path("experiments/runs/run_001/artifacts/model_best.pt").read_bytes()
    run = runfolio.open_store().run("run_001")
    assert run.artifact("model_best.pt").read_bytes() == b"weights"


def test_S3_15_what_happens_to_the_copy_does_not_reach_the_store(tracker: ExperimentTracker) -> None:
    """A script that writes into the copy, in place, changes no byte of the store."""
    run_id = tracker.create_run("ctr_model")
    Path("model.pt").write_bytes(b"weights")
    target = tracker.log_artifact(run_id, "model.pt")
    with open(target, "r+b") as file:
        file.write(b"WEIGHTS")
    assert Path("model.pt").read_bytes() == b"weights"
    assert runfolio.open_store().run("run_001").artifact("model.pt").read_bytes() == b"weights"


def test_S3_15_bad_artifacts_are_refused(tracker: ExperimentTracker) -> None:
    """A missing file is told by its path, a name that leads out of the folder by itself; neither leaves a trace."""
    run_id = tracker.create_run("ctr_model")
    with pytest.raises(FileNotFoundError, match=r"gone\.pt"):
        tracker.log_artifact(run_id, "gone.pt")
    Path("model.pt").write_bytes(b"x")
    for name in ("../model.pt", "/model.pt", "a//b", ""):
        with pytest.raises(UsageError, match="artifact"):
            tracker.log_artifact(run_id, "model.pt", name)
    assert not runfolio.open_store().run("run_001").artifacts
    assert os.listdir("experiments/runs/run_001/artifacts") == []


@pytest.mark.parametrize(("word", "native"), [("completed", "finished"), ("failed", "failed"), ("killed", "killed")])
def test_S3_16_finish_run_sets_the_status(tracker: ExperimentTracker, word: str, native: str) -> None:
    """A run is running until it is finished; the lab's words and the store's mean the same; the files tell it on return."""
    run_id = tracker.create_run("ctr_model")
    assert [run["status"] for run in tracker.list_runs()] == ["running"]
    tracker.finish_run(run_id, status=word)
    assert [(entry["status"], entry["finished_at"] is None) for entry in index()] == [(word, False)]
    assert runfolio.open_store().run("run_001").status == native


def test_S3_16_finish_run_refuses_what_it_does_not_know(tracker: ExperimentTracker) -> None:
    """Another status and an unknown run are told by their names."""
    run_id = tracker.create_run("ctr_model")
    with pytest.raises(UsageError, match="'done'"):
        tracker.finish_run(run_id, status="done")
    for call in (
        lambda: tracker.finish_run("run_099"),
        lambda: tracker.log_metrics("run_099", {"a": 1}),
        lambda: tracker.log_params("best one", {"a": 1}),
    ):
        with pytest.raises(RunNotFound, match=r"(run_099|best one).*run_001"):
            call()


def test_S3_16_another_process_may_write_and_finish(tracker: ExperimentTracker) -> None:
    """Whoever knows the id may log to a run and end it."""
    run_id = tracker.create_run("ctr_model")
    tracker.log_metrics(run_id, {"loss": 0.5}, step=0)
    other = script(
        "t = ExperimentTracker()\nt.log_metrics(sys.argv[1], {'loss': 0.4}, step=1)\nt.finish_run(sys.argv[1], 'failed')",
        run_id,
    )
    other.communicate(timeout=60)
    assert other.returncode == 0
    run = tracker.get_run(run_id)
    assert run is not None and run["status"] == "failed"
    assert [entry["value"] for entry in run["metrics"]["loss"]] == [0.5, 0.4]
    assert [entry["status"] for entry in index()] == ["failed"]
    assert [entry["value"] for entry in read_json("experiments/runs/run_001/metrics.json")["loss"]] == [0.5, 0.4]


def test_S3_16_a_finished_run_takes_more(tracker: ExperimentTracker) -> None:
    """What is logged after finish_run is kept, and another status takes the place of the first."""
    run_id = tracker.create_run("ctr_model")
    tracker.finish_run(run_id)
    tracker.log_metrics(run_id, {"test_auc": 0.8})
    tracker.finish_run(run_id, "failed")
    run = tracker.get_run(run_id)
    assert run is not None
    assert (run["status"], run["metrics"]["test_auc"][0]["value"]) == ("failed", 0.8)
    assert index()[0]["status"] == "failed"


@pytest.mark.parametrize(("end", "status"), [("", "completed"), ("raise ValueError('no')", "failed")])
def test_S3_16_a_script_that_forgets_finish_run(end: str, status: str) -> None:
    """A run without finish_run ends as its script does."""
    done = script(f"t = ExperimentTracker()\nt.create_run('ctr_model')\n{end}")
    done.communicate(timeout=60)
    wait_for(lambda: [entry["status"] for entry in index()] == [status], status)
    assert [run["status"] for run in ExperimentTracker().list_runs()] == [status]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_S3_16_a_killed_script(number: int) -> None:
    """After a signal the run is killed, and its files hold all that was logged."""
    code = "t = ExperimentTracker()\nr = t.create_run('ctr_model')\nt.log_metrics(r, {'loss': 0.25}, step=3)\nprint(r, flush=True)\nsys.stdin.read()"
    running = script(code)
    assert running.stdout is not None and running.stdout.readline() == "run_001\n"
    running.send_signal(number)
    running.communicate(timeout=60)
    wait_for(lambda: [entry["status"] for entry in index()] == ["killed"], "killed in metadata.json")
    assert index()[0]["finished_at"] is not None
    assert read_json("experiments/runs/run_001/metrics.json")["loss"][0]["value"] == 0.25


def test_S3_17_get_run_gives_everything(tracker: ExperimentTracker) -> None:
    """get_run is metadata, params and metrics together; None for an id that nobody has."""
    run_id = tracker.create_run("ctr_model", tags={"version": "v1"})
    tracker.log_params(run_id, {"lr": 0.1})
    tracker.log_metrics(run_id, {"loss": 0.5}, step=0)
    run = tracker.get_run(run_id)
    assert run is not None
    assert {**tracker.list_runs()[0], "params": {"lr": 0.1}, "metrics": run["metrics"]} == run
    assert tracker.get_run("run_099") is None
    assert tracker.get_run("nonsense") is None


def test_S3_18_list_runs_in_creation_order(tracker: ExperimentTracker) -> None:
    """list_runs gives metadata, all or an experiment's, in the order of creation."""
    for name in ("b", "a", "b"):
        tracker.create_run(name)
    assert [run["experiment_name"] for run in tracker.list_runs()] == ["b", "a", "b"]
    assert [run["run_id"] for run in tracker.list_runs("b")] == ["run_001", "run_003"]
    assert tracker.list_runs("c") == []


def test_S3_19_compare_runs_is_a_data_frame(tracker: ExperimentTracker) -> None:
    """A row for each run, with params and the value logged last, whatever its step; a metric takes the place of a param of its name."""
    one, other = tracker.create_run("a"), tracker.create_run("a")
    tracker.log_params(one, {"lr": 0.1, "score": "a param"})
    tracker.log_params(other, {"lr": 0.2, "dims": [1, 2]})
    tracker.log_metrics(one, {"score": 0.9}, step=9)
    tracker.log_metrics(one, {"score": 0.4}, step=1)
    frame = tracker.compare_runs([other, one])
    assert list(frame.columns[:4]) == ["run_id", "experiment_name", "status", "created_at"]
    assert list(frame["run_id"]) == [other, one]
    assert list(frame["lr"]) == [0.2, 0.1]
    assert frame["dims"][0] == [1, 2]
    assert frame["score"][1] == 0.4
    with pytest.raises(RunNotFound, match="run_099"):
        tracker.compare_runs([one, "run_099"])


def test_S3_20_get_best_run_compares_last_values(tracker: ExperimentTracker) -> None:
    """The highest last value wins, or the lowest; of equals the first, never NaN; None where no run has the metric."""
    for values in ([0.9, 0.5], [0.6, 0.7], [0.1, 0.7], [float("nan")], [0.2, float("nan")]):
        run_id = tracker.create_run("a")
        for step, value in enumerate(values):
            tracker.log_metrics(run_id, {"auc": value}, step=step)
    best, worst = tracker.get_best_run("auc"), tracker.get_best_run("auc", mode="min")
    assert best is not None and worst is not None
    assert (best["run_id"], worst["run_id"]) == ("run_002", "run_001")
    assert best["metrics"]["auc"][-1]["value"] == 0.7
    assert tracker.get_best_run("Auc") is None
    assert tracker.get_best_run("auc", experiment_name="b") is None
    with pytest.raises(UsageError, match="'lowest'"):
        tracker.get_best_run("auc", mode="lowest")


def test_S3_20_runs_of_any_status_count(tracker: ExperimentTracker) -> None:
    """The best run may be one that failed, or still runs."""
    done, live = tracker.create_run("a"), tracker.create_run("a")
    tracker.log_metrics(done, {"auc": 0.5})
    tracker.finish_run(done, "failed")
    tracker.log_metrics(live, {"auc": 0.6})
    best, worst = tracker.get_best_run("auc"), tracker.get_best_run("auc", mode="min")
    assert best is not None and worst is not None
    assert (best["status"], worst["status"]) == ("running", "failed")


def test_S3_21_history_entries_have_step_and_value(tracker: ExperimentTracker) -> None:
    """run['metrics']['test_auc'][-1]['value'] is the last value, and each entry tells its step."""
    run_id = tracker.create_run("a")
    for step in range(3):
        tracker.log_metrics(run_id, {"test_auc": step / 10}, step=step)
    run = tracker.get_run(run_id)
    assert run is not None
    assert run["metrics"]["test_auc"][-1]["value"] == 0.2
    assert [entry["step"] for entry in run["metrics"]["test_auc"]] == [0, 1, 2]


def test_S3_22_status_and_creation_are_visible(tracker: ExperimentTracker) -> None:
    """A run tells its status and when it was created, while it runs too."""
    run = tracker.get_run(tracker.create_run("a"))
    assert run is not None
    assert run["status"] == "running" and SECONDS.fullmatch(run["created_at"])
    assert run["finished_at"] is None


# -------------------------------------------------------------------------------------------------------------- command


def test_S3_23_comparison_has_its_parts(tracker: ExperimentTracker) -> None:
    """The comparison counts the runs, rules at 80, shows a table and the best run with params and final metrics."""
    make_shown(tracker)
    done = compare("ctr_model")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[:5] == ["Found 5 runs for 'ctr_model'", "", "=" * 80, "EXPERIMENT COMPARISON: ctr_model", "=" * 80]
    assert all(len(line) <= 80 for line in lines)
    assert lines[lines.index("BEST RUN:") + 2 :][:2] == ["Run ID: run_005", "Best test_auc: 0.8234"]
    assert lines[lines.index("Parameters:") + 1] == "  learning_rate: 0.001"
    assert lines[lines.index("Final Metrics:") + 1 :] == [
        "  test_accuracy: 0.7589", "  test_auc: 0.8234", "  test_loss: 0.4123",
    ]  # fmt: skip


def test_S3_24_table_is_sorted_by_test_auc(tracker: ExperimentTracker) -> None:
    """The best test_auc stands first, what has none last; without it val_auc, then test_accuracy says which is the best."""
    make_shown(tracker)
    tracker.create_run("ctr_model")
    rows = [line.split()[0] for line in compare("ctr_model").stdout.splitlines() if line.startswith("run_0")]
    assert rows == ["run_005", "run_003", "run_001", "run_002", "run_004", "run_006"]
    for metric in ("test_accuracy", "val_auc"):
        tracker.log_metrics(tracker.create_run("other"), {metric: 0.5})
        assert f"Best {metric}: 0.5000" in compare("other").stdout
    tracker.log_metrics(tracker.create_run("third"), {"loss": 0.5})
    assert "BEST RUN" not in compare("third").stdout


def test_S3_25_plot_makes_a_picture(tracker: ExperimentTracker) -> None:
    """plot draws the named runs into the base_dir; a run without the metric is warned of and skipped."""
    make_shown(tracker)
    tracker.create_run("ctr_model")
    done = compare("ctr_model", "plot", "val_auc", "run_001", "run_006", "run_099")
    assert done.returncode == 0, done.stderr
    assert Path("experiments/metric_comparison_val_auc.png").read_bytes().startswith(b"\x89PNG")
    warned = [line for line in done.stdout.splitlines() if line.startswith("Warning")]
    assert [re.findall(r"run_\d+", line) for line in warned] == [["run_006"], ["run_099"]]
    nothing = compare("ctr_model", "plot", "test_auc", "run_001")  # only without a step
    assert nothing.returncode == 1 and "test_auc" in nothing.stdout
    assert not Path("experiments/metric_comparison_test_auc.png").exists()


def test_S3_26_list_shows_all_experiments(tracker: ExperimentTracker) -> None:
    """--list counts runs and completed ones; of many ids the first five stand, and how many more there are."""
    for place in range(7):
        run_id = tracker.create_run("many")
        if place % 2:
            tracker.finish_run(run_id)
    done = compare("--list")
    assert done.stdout.splitlines() == [
        "=" * 80, "ALL EXPERIMENTS", "=" * 80, "", "many:", "  Total runs: 7", "  Completed: 3",
        "  Run IDs: run_001, run_002, run_003, run_004, run_005 ... (2 more)",
    ]  # fmt: skip


def test_S3_27_no_runs_is_a_message() -> None:
    """Where there are no runs a message says so; it is no error, and nothing is made."""
    for arguments in (("nothing",), ("--list",), ("nothing", "plot", "loss")):
        done = compare(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert "No " in done.stdout
    assert not Path("experiments").exists()


def test_S3_27_wrong_usage_is_exit_2() -> None:
    """A command that asks for nothing, or for what there is not, is wrong usage."""
    assert [compare(*arguments).returncode for arguments in ((), ("x", "draw"), ("x", "plot"))] == [2, 2, 2]


# ----------------------------------------------------------------------------------------------------- claims and wishes


def test_S3_28_no_dependencies_to_track() -> None:
    """Tracking a run loads nothing outside the standard library; pandas comes only with a DataFrame."""
    code = """
t = ExperimentTracker()
r = t.create_run('a', tags={'x': 'y'})
t.log_params(r, {'lr': 0.1})
t.log_metrics(r, {'loss': 0.5}, step=0)
open('model.pt', 'w').close()
t.log_artifact(r, 'model.pt')
t.finish_run(r)
print([name for name in ('numpy', 'pandas', 'yaml', 'matplotlib', 'duckdb', 'nanoarrow', 'click', 'sqlite3') if name in sys.modules])
"""
    out, _ = script(code).communicate(timeout=60)
    assert out == "[]\n"


def test_S3_29_hundreds_of_runs(tracker: ExperimentTracker) -> None:
    """A folder with hundreds of runs lists them all, and finds the best."""
    entries = [old_entry(number) for number in range(1, 301)]
    metrics = {f"run_{number:03d}": ({}, {"auc": history(last=number % 200)}) for number in range(1, 301)}
    write_old("old", entries, metrics)
    old = ExperimentTracker("old")
    assert len(old.list_runs()) == 300
    best = old.get_best_run("auc")
    assert best is not None and best["run_id"] == "run_199"


def test_S3_30_sweep_by_product(tracker: ExperimentTracker) -> None:
    """One run for each combination, all with the sweep's tag."""
    for rate, dims in itertools.product([0.1, 0.01], [[8], [4, 4]]):
        run_id = tracker.create_run("sweep", tags={"sweep": "hyperparams"})
        tracker.log_params(run_id, {"learning_rate": rate, "hidden_dims": dims})
        tracker.log_metrics(run_id, {"test_auc": rate + len(dims)})
    assert {run["tags"]["sweep"] for run in tracker.list_runs("sweep")} == {"hyperparams"}
    best = tracker.get_best_run("test_auc", experiment_name="sweep")
    assert best is not None and best["params"] == {"learning_rate": 0.1, "hidden_dims": [4, 4]}


def test_S3_31_integration_template(tracker: ExperimentTracker) -> None:
    """All params first, epochs from 1, final metrics without a step, an artifact with a name, finish."""
    run_id = tracker.create_run("ctr_model", tags={"config": "c.yaml"}, description="Training run with config c.yaml")
    tracker.log_params(run_id, {"epochs": 2})
    for epoch in range(1, 3):
        tracker.log_metrics(run_id, {"train_loss": 1 / epoch}, step=epoch)
    tracker.log_metrics(run_id, {"test_auc": 0.8})
    Path("best.bin").write_bytes(b"w")
    tracker.log_artifact(run_id, "best.bin", "model_best.pt")
    tracker.finish_run(run_id, status="completed")
    run = tracker.get_run(run_id)
    assert run is not None
    assert [entry["step"] for name in ("train_loss", "test_auc") for entry in run["metrics"][name]] == [1, 2, None]
    assert Path(run["run_dir"], "artifacts", "model_best.pt").exists()


def test_S3_32_params_come_back_exactly(tracker: ExperimentTracker, tmp_path: Path) -> None:
    """What was logged as params is what get_run gives, in this process and another, and run_dir leads to the artifacts."""
    params = {
        "dims": [256, 128], "lr": 0.1, "epochs": 30, "whole": 2.0, "flag": True, "none": None, "name": "mlp", "empty": {}, "nothing": [],
        "nested": {"a": {"b": [1, {"c.d": 2.5}]}, "layer.0": {"x": 1}}, "a.b": 1, "opt.adam.lr": {"v": 1e-3}, "big": 2**60,
    }  # fmt: skip
    run_id = tracker.create_run("ctr_model")
    tracker.log_params(run_id, params)
    Path("m.pt").write_bytes(b"w")
    tracker.log_artifact(run_id, "m.pt", "model_best.pt")
    code = """
t = ExperimentTracker('../experiments')
r = t.get_run('run_001')
print(repr(sorted(r['params'].items())))
print(open(r['run_dir'] + '/artifacts/model_best.pt').read())
"""
    (tmp_path / "elsewhere").mkdir()
    os.chdir("elsewhere")
    out, _ = script(code).communicate(timeout=60)
    assert out.splitlines() == [repr(sorted(params.items())), "w"]
    os.chdir("..")
    tracker.finish_run(run_id)
    assert json.loads(Path("experiments/runs/run_001/params.json").read_text()) == params


def test_S3_33_wishes_are_the_stores_own(tracker: ExperimentTracker) -> None:
    """Search, clean-up and export are those of the store, where each run answers to its number."""
    make_shown(tracker)
    store = runfolio.open_store()
    assert {run.aliases[0] for run in store.runs(experiment="ctr_model", tag="version=v1")} == set(SHOWN)
    assert store.run("run_005").params["dropout"] == 0.4
    best = store.best("test_auc", mode="max")
    assert best is not None and best.aliases == ["run_005"]


def test_S3_33_a_number_of_several_folders_is_ambiguous_outside() -> None:
    """Inside a folder a number is one run; the store, which has two of it, names both."""
    one, other = ExperimentTracker("one"), ExperimentTracker("other")
    one.create_run("a")
    other.create_run("b")
    runs = one.get_run("run_001"), other.get_run("run_001")
    assert [run["experiment_name"] for run in runs if run] == ["a", "b"]
    with pytest.raises(runfolio.AmbiguousRun) as told:
        runfolio.open_store().run("run_001")
    assert len(told.value.candidates) == 2
