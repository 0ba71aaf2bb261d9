"""S2.8 to S2.15: the file of one seed."""

from __future__ import annotations

import math
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import runfolio
from dialects.blocks import blocks_of
from dialects.ntn.reading import logged, names, shell, strict
from followers.scripts import eventually
from runfolio.dialects.ntn.trackers import FileTracker, create_tracker

CONFIG = {"model": "mpo2", "dims": [4, 6], "data": {"name": "diabetes", "share": 0.25}, "bond_dim": 6}
INIT = {"loss": 6.64, "r2": -3.88}
EPOCH = {"loss": 0.27, "r2": 0.80, "reg_loss": 0.86, "jitter": 0.05}


def track(name: str = "x_seed0", **summary: object) -> FileTracker:
    """Track a run of two records."""
    tracker = FileTracker(name, CONFIG)
    tracker.log_hparams({"seed": 0})
    tracker.log_metrics(INIT, -1)
    tracker.log_metrics(EPOCH, 0)
    tracker.log_summary(summary)
    tracker.finalize()
    return tracker


def test_S2_08_one_file_per_seed() -> None:
    """The script makes a file for each of the seeds 0 to 4, named after the experiment."""
    shell("bash experiments/run_mpo2.sh", EXPERIMENT_NAME="housing")
    assert names() == [f"housing_seed{seed}" for seed in range(5)]
    assert [logged(f"housing_seed{seed}")["hparams"]["seed"] for seed in range(5)] == [0, 1, 2, 3, 4]


def test_S2_09_top_keys() -> None:
    """The file has name, config, hparams, metrics_log and summary; the name with the seed."""
    track()
    found = logged("x_seed0")
    assert list(found) == ["experiment_name", "config", "hparams", "metrics_log", "summary"]
    assert found["experiment_name"] == "x_seed0"


def test_S2_09_config_and_hparams_come_back_as_given() -> None:
    """Types, nesting, lists, dotted keys and what stands in both come back as they were given."""
    config = {**CONFIG, "a.b": 1, "empty": {}, "none": None, "on": True, "rate": 1.0, "text": 'a"}, {"step": é\n'}
    hparams = {"bond_dim": 8, "model": {"kind": "tensor"}, "betas": [0.9, 0.999], "a": {"b": 2.5}}
    tracker = create_tracker("x_seed0", config)
    tracker.log_hparams(hparams)
    tracker.finalize()
    found = logged("x_seed0")
    assert repr(found["config"]) == repr(config)
    assert repr(found["hparams"]) == repr(hparams)


def test_S2_09_hparams_are_added_up() -> None:
    """A second call adds hyperparameters; the later value of a name wins."""
    tracker = create_tracker("x_seed0", {})
    tracker.log_hparams({"seed": 0, "lr": 0.1})
    tracker.log_hparams({"lr": 0.2, "decay": 0.9})
    tracker.finalize()
    assert logged("x_seed0")["hparams"] == {"seed": 0, "lr": 0.2, "decay": 0.9}


def test_S2_10_flat_records_in_the_order_of_calling() -> None:
    """Each call is one flat record, its step first, in the order of calling, several at one step too."""
    tracker = create_tracker("x_seed0", {})
    for step, metrics in ((5, {"loss": 1.0}), (2, {"loss": 2}), (2, {"loss": 3.5, "ok": True}), (2, {"loss": 2})):
        tracker.log_metrics(metrics, step)
    tracker.finalize()
    wanted = [
        {"step": 5, "loss": 1.0},
        {"step": 2, "loss": 2},
        {"step": 2, "loss": 3.5, "ok": True},
        {"step": 2, "loss": 2},
    ]
    assert repr(logged("x_seed0")["metrics_log"]) == repr(wanted)


def test_S2_10_file_is_live() -> None:
    """While the run goes on, its records come into the file by themselves."""
    tracker = create_tracker("x_seed0", {})
    tracker.log_metrics({"loss": 1.0}, 0)
    assert eventually(
        lambda: Path("experiment_logs/x_seed0.json").exists() and len(logged("x_seed0")["metrics_log"]) == 1
    )
    tracker.log_metrics({"loss": 0.5}, 1)
    assert eventually(lambda: len(logged("x_seed0")["metrics_log"]) == 2)
    assert logged("x_seed0")["summary"] == {}
    tracker.finalize()


def test_S2_10_numbers_that_json_lacks_are_text() -> None:
    """NaN and the infinities are the texts "NaN", "Infinity", "-Infinity"; numpy's numbers are numbers."""
    tracker = create_tracker("x_seed0", {"limit": math.inf})
    tracker.log_metrics({"loss": math.nan, "n": np.int64(3), "r2": np.float32(0.5)}, np.int64(0))
    tracker.log_summary({"loss": -math.inf})
    tracker.finalize()
    found = logged("x_seed0")
    assert found["config"] == {"limit": "Infinity"}
    assert repr(found["metrics_log"]) == repr([{"step": 0, "loss": "NaN", "n": 3, "r2": 0.5}])
    assert found["summary"] == {"loss": "-Infinity"}


def test_S2_11_step_minus_one_is_legal() -> None:
    """Step -1 is the evaluation before training, and epoch 0 is step 0."""
    track()
    assert [record["step"] for record in logged("x_seed0")["metrics_log"]] == [-1, 0]
    assert runfolio.open_store().run("x_seed0").series("loss").steps.tolist() == [-1, 0]


def test_S2_12_keys_vary_between_records() -> None:
    """The first record has no reg_loss and no jitter; nothing is filled in."""
    track()
    assert logged("x_seed0")["metrics_log"] == [{"step": -1, **INIT}, {"step": 0, **EPOCH}]


def test_S2_13_summary_fields() -> None:
    """The summary has seed, loss, r2, success, as they were given, and error when the run failed."""
    summary = {"seed": 0, "loss": 0.271, "r2": 0.801, "success": True}
    track(**summary)
    assert repr(logged("x_seed0")["summary"]) == repr(summary)
    track("x_seed1", seed=1, success=False, error="matrix is singular")
    assert logged("x_seed1")["summary"] == {"seed": 1, "success": False, "error": "matrix is singular"}
    assert runfolio.open_store().run("x_seed1").status == "failed"


def test_S2_14_finished_without_success() -> None:
    """A run that ended well may be no success: R² was not above 0. Its status is finished all the same."""
    track(seed=0, r2=-0.1, success=False)
    assert logged("x_seed0")["summary"] == {"seed": 0, "r2": -0.1, "success": False}
    assert runfolio.open_store().run("x_seed0").status == "finished"


def test_S2_15_the_sample_and_jq() -> None:
    """What the sample shows, less its comments and dots, is what the file has; and `jq '.summary.r2'` reads it, NaN included."""
    (sample,) = [block.text for block in blocks_of("ntn") if block.language == "json"]
    text = re.sub(r"//.*|,?\s*\.\.\.(?=\s*\])", "", sample).replace("{...}", "{}")
    text = re.sub(r",(\s*\])", r"\1", text)
    shown = strict(text)
    tracker = create_tracker(shown["experiment_name"], shown["config"])
    tracker.log_hparams(shown["hparams"])
    for record in shown["metrics_log"]:
        step = record.pop("step")
        tracker.log_metrics(record, step)
        record["step"] = step
    tracker.log_summary(shown["summary"])
    tracker.finalize()
    assert logged("mpo2_experiment_seed0") == shown
    track("mpo2_experiment_seed1", r2=math.nan)
    command = ["jq", ".summary.r2", *(f"experiment_logs/mpo2_experiment_seed{seed}.json" for seed in (0, 1))]
    assert subprocess.run(command, capture_output=True, text=True).stdout.split() == ["0.801", '"NaN"']


def test_the_later_summary_wins_whatever_its_shape() -> None:
    """A value in place of a dict, or the reverse, is what the file has; what another writer adds inside a dict joins it."""
    tracker = create_tracker("x_seed0", CONFIG)
    tracker.log_summary({"test": {"r2": 0.1}, "loss": 3.0, "val": {"r2": 0.5}})
    tracker.log_summary({"test": 0.2, "loss": {"mse": 1.0}})
    (run,) = runfolio.open_store().runs()
    with runfolio.attach(run.id) as other:
        other.summary.update({"val.mae": 0.25})
    tracker.finalize()
    assert logged("x_seed0")["summary"] == {"test": 0.2, "loss": {"mse": 1.0}, "val": {"r2": 0.5, "mae": 0.25}}


def test_all_runs_stand_in_the_store() -> None:
    """A run is named after its file, belongs to the experiment without the seed, and has config and hparams as its params."""
    track(r2=0.8)
    run = runfolio.open_store().run("x_seed0")
    assert (run.name, run.experiment) == ("x_seed0", "x")
    assert run.params == {**CONFIG, "seed": 0}
    assert run.summary == {"r2": 0.8}


def test_name_points_to_the_latest_run() -> None:
    """The same name again is a new run: name and file are its, and the earlier run stays in the store."""
    track(r2=0.1)
    track(r2=0.2)
    store = runfolio.open_store()
    assert store.run("x_seed0").summary == {"r2": 0.2}
    assert logged("x_seed0")["summary"] == {"r2": 0.2}
    assert sorted(run.summary["r2"] for run in store.runs()) == [0.1, 0.2]
    assert names() == ["x_seed0"]


@pytest.mark.parametrize("value", ["text", None, [1], 2**53 + 1, np.zeros(2)])
def test_what_is_no_number_is_refused(value: object) -> None:
    """A metric that is no number raises an error that names it; nothing of the call is kept, and the run goes on."""
    tracker = create_tracker("x_seed0", {})
    with pytest.raises(runfolio.InvalidValue, match="r2"):
        tracker.log_metrics({"loss": 1.0, "r2": value}, 0)
    tracker.log_metrics({"loss": 2.0}, 1)
    tracker.finalize()
    assert logged("x_seed0")["metrics_log"] == [{"step": 1, "loss": 2.0}]


def test_finished_tracker_says_so() -> None:
    """After finalize() logging raises and says why; finalizing again does nothing."""
    tracker = track(r2=0.5)
    before = Path("experiment_logs/x_seed0.json").read_bytes()
    for call in (tracker.log_hparams, tracker.log_summary):
        with pytest.raises(runfolio.RunIsClosed):
            call({"a": 1})
    with pytest.raises(runfolio.RunIsClosed):
        tracker.log_metrics({"loss": 1.0}, 9)
    tracker.finalize()
    assert Path("experiment_logs/x_seed0.json").read_bytes() == before
