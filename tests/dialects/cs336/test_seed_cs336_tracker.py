"""S1, the config and the tracker: one test for each promise of the document, and for our decisions about it."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import runfolio
from dialects.cs336.making import FIELDS, FOLDER, history, old_log, saved, started, strict, write_old
from followers.scripts import companions, eventually, run, start
from runfolio.dialects.cs336 import file_name
from runfolio.dialects.cs336.experiment_log import ExperimentConfig, ExperimentTracker

# ------------------------------------------------------------------------------------------------------------ the config


def test_S1_02_only_the_name_is_required() -> None:
    """A config needs a name and nothing else."""
    assert ExperimentConfig(experiment_name="baseline").experiment_name == "baseline"
    with pytest.raises(TypeError, match="experiment_name"):
        ExperimentConfig()  # type: ignore[call-arg]


def test_S1_03_the_defaults_of_the_model() -> None:
    """The model's fields have the documented defaults, ints as ints and floats as floats."""
    config = ExperimentConfig("a")
    model = (config.d_model, config.num_heads, config.num_layers, config.d_ff, config.vocab_size, config.context_length)
    assert (model, repr(config.rope_theta)) == ((512, 8, 6, 2048, 10000, 256), "10000.0")


def test_S1_04_the_defaults_of_training() -> None:
    """The training's fields have the documented defaults."""
    config = ExperimentConfig("a")
    assert (config.batch_size, config.max_iters, config.warmup_iters) == (64, 100000, 2000)
    assert (config.max_learning_rate, config.min_learning_rate) == (6e-4, 6e-5)


def test_S1_05_the_defaults_of_the_optimizer() -> None:
    """The optimizer's fields have the documented defaults."""
    config = ExperimentConfig("a")
    assert (config.weight_decay, config.grad_clip, config.beta1, config.beta2, config.eps) == (
        0.1,
        1.0,
        0.9,
        0.95,
        1e-8,
    )


def test_S1_06_the_other_defaults() -> None:
    """Seed and device have the documented defaults."""
    config = ExperimentConfig("a")
    assert (config.seed, config.device) == (42, "cuda")


def test_S1_07_a_config_is_mutable_and_equal_by_value() -> None:
    """A config can be changed, also after the start: the file has it as it was at the end."""
    assert ExperimentConfig("a") == ExperimentConfig("a") != ExperimentConfig("a", seed=1)
    tracker = started(batch_size=32)
    tracker.config.batch_size = 48
    tracker.config.dataset = "sonnets"  # type: ignore[attr-defined]
    assert strict(tracker.save())["config"]["batch_size"] == 48
    tracker.config.batch_size = 64
    tracker.finish()
    config = strict(tracker.save())["config"]
    assert (config["batch_size"], config["dataset"]) == (64, "sonnets")


def test_S1_08_the_names_of_sweeps_are_names_of_files() -> None:
    """The names that sweep loops make stand in file names as they are."""
    names = [f"lr_{lr:.0e}" for lr in (1e-4, 6e-4, 1e-3)] + [f"batch_{bs}" for bs in (32, 64)]
    paths = [saved(name).name for name in names]
    assert [path.rsplit("_", 2)[0] for path in paths] == [f"experiment_{name}" for name in names]
    assert names[0] == "lr_1e-04"


@pytest.mark.parametrize("run_name", [None, "", "mine"])
def test_S1_09_the_name_falls_back_to_default(run_name: str | None) -> None:
    """`args.wandb_run_name or "default"` names the run and the file."""
    path = saved(run_name or "default")
    assert path.name.startswith(f"experiment_{run_name or 'default'}_")


@pytest.mark.parametrize("name", ["../../up", "a/b", "back\\slash", ".", "line\nbreak", "x" * 400, "ünïcode", "a b"])
def test_any_name_is_a_file_in_the_folder(name: str) -> None:
    """A name is text: its file lies in the log folder, whatever stands in it, and tells the name as it was."""
    path = saved(name)
    assert path.parent == FOLDER and path.is_file()
    assert strict(path)["config"]["experiment_name"] == name


@pytest.mark.parametrize("name", ["", None, 7, "a\0b"])
def test_a_name_that_cannot_be_kept_is_refused(name: Any) -> None:
    """A name that is none is refused at the start, and no run is left behind."""
    with pytest.raises(runfolio.InvalidValue, match="experiment"):
        started(name)
    assert runfolio.active_run() is None


def test_a_config_that_cannot_be_kept_is_refused() -> None:
    """A field that no run can hold is named, and no run is left behind."""
    with pytest.raises(runfolio.InvalidValue, match="device"):
        started(device=object())
    assert runfolio.active_run() is None


# ------------------------------------------------------------------------------------------------------------ the tracker


def test_S1_10_the_default_folder() -> None:
    """The files lie in `experiment_logs`, which is made; another folder may be given, as text or path."""
    assert ExperimentTracker(ExperimentConfig("a")).log_dir == FOLDER
    tracker = ExperimentTracker(ExperimentConfig("a"), log_dir="deep/er")
    tracker.start()
    assert tracker.save().parent == Path("deep/er")
    assert saved().parent == FOLDER


def test_S1_11_start_begins_timing_and_a_run() -> None:
    """Time runs from `start`, and the run has the experiment's name and all fields of its config as params."""
    tracker = ExperimentTracker(ExperimentConfig("tiny", d_model=64))
    assert tracker.get_elapsed_time() == 0.0
    tracker.start()
    active = runfolio.active_run()
    assert active is not None
    assert (active.name, active.experiment) == ("tiny", "tiny")
    assert active.params == vars(tracker.config)
    assert 0.0 < tracker.get_elapsed_time() < tracker.get_elapsed_time()


def test_a_second_start_is_refused() -> None:
    """A tracker starts once: a second time says so, and names the experiment."""
    tracker = started()
    with pytest.raises(runfolio.UsageError, match="'tiny' has started already"):
        tracker.start()


@pytest.mark.parametrize("verb", ["log_metrics", "log_eval", "finish", "save"])
def test_a_forgotten_start_loses_nothing(verb: str) -> None:
    """Where `start` was forgotten the first call begins the run, with a warning, and is kept."""
    tracker = ExperimentTracker(ExperimentConfig("tiny"))
    arguments = {"log_metrics": {"iteration": 0, "train_loss": 2.0}, "log_eval": {"iteration": 0, "train_loss": 2.0}}
    with pytest.warns(runfolio.RunfolioWarning, match=r"before start\(\)"):
        getattr(tracker, verb)(**arguments.get(verb, {}))
    tracker.finish()
    assert [row["train_loss"] for row in history(tracker)] == ([2.0] if verb.startswith("log") else [])


def test_S1_12_log_metrics_as_documented() -> None:
    """Keyword metrics with the documented names and defaults; train_loss may be left out."""
    tracker = started()
    tracker.log_metrics(3)
    tracker.log_metrics(4, 2.5, 1e-3, 1000.0, 12.5)
    tracker.log_metrics(iteration=5, train_loss=2.25, learning_rate=2e-3, tokens_per_sec=2000.0, iter_time_ms=6.0)
    rows = history(tracker)
    values = [[row[name] for name in ("train_loss", "learning_rate", "tokens_per_sec", "iter_time_ms")] for row in rows]
    assert values == [[None, 0.0, 0.0, 0.0], [2.5, 1e-3, 1000.0, 12.5], [2.25, 2e-3, 2000.0, 6.0]]


def test_S1_13_iterations_count_from_0() -> None:
    """Iteration 0 is the first; any integer may follow, in any order, and each call is a snapshot."""
    tracker = started()
    for iteration in (0, 1, 100, 7, 7, -1, np.int64(12)):
        tracker.log_metrics(iteration, train_loss=1.0)
    assert [row["iteration"] for row in history(tracker)] == [0, 1, 100, 7, 7, -1, 12]


@pytest.mark.parametrize("iteration", [None, True, 1.0, "3", 2**63])
def test_what_is_no_iteration_is_refused(iteration: Any) -> None:
    """None, bools, fractions and text are no iterations: the error names it, and nothing is kept."""
    tracker = started()
    for log in (tracker.log_metrics, tracker.log_eval):
        with pytest.raises(runfolio.InvalidValue, match=r"iteration|9223372036854775808"):
            log(iteration, train_loss=1.0)
    assert history(tracker) == []


@pytest.mark.parametrize("value", ["2.5", [1.0, 2.0], 1j])
def test_what_is_no_number_is_refused(value: Any) -> None:
    """A loss that is no number is named, and nothing of the call is kept."""
    tracker = started()
    for call in (tracker.log_metrics, tracker.log_eval):
        with pytest.raises(runfolio.InvalidValue, match="train_loss"):
            call(0, train_loss=value)
    with pytest.raises(runfolio.InvalidValue, match="val_loss"):
        tracker.finish(val_loss=value)
    assert history(tracker) == []
    tracker.finish()


def test_numbers_keep_their_kind() -> None:
    """An int comes out an int, a float a float, a numpy scalar its number."""
    tracker = started()
    tracker.log_metrics(0, train_loss=3, tokens_per_sec=np.float32(0.5), iter_time_ms=np.array([7.0]))
    (row,) = history(tracker)
    assert [repr(row[name]) for name in ("train_loss", "tokens_per_sec", "iter_time_ms", "gradient_step")] == [
        "3", "0.5", "7.0", "0",
    ]  # fmt: skip


def test_S1_14_log_eval_as_documented() -> None:
    """An evaluation has an iteration, a train loss and a val loss, each of which may be left out."""
    tracker = started()
    tracker.log_eval(10, train_loss=2.0, val_loss=2.5)
    tracker.log_eval(20, 1.5, 2.25)
    tracker.log_eval(30, val_loss=2.0)
    tracker.log_eval(40)
    rows = [(row["iteration"], row["train_loss"], row["val_loss"]) for row in history(tracker)]
    assert rows == [(10, 2.0, 2.5), (20, 1.5, 2.25), (30, None, 2.0), (40, None, None)]
    assert all(row["learning_rate"] is None and row["wallclock_time"] > 0 for row in history(tracker))


def test_S1_15_an_evaluation_fills_its_snapshot() -> None:
    """An evaluation fills the snapshot of its iteration, the last one or an earlier one, else it makes one."""
    tracker = started()
    for iteration in (0, 10, 20):
        tracker.log_metrics(iteration, train_loss=3.0, learning_rate=1e-3)
    tracker.log_eval(20, val_loss=2.5)
    tracker.log_eval(0, val_loss=4.5)
    tracker.log_eval(15, val_loss=3.5)
    rows = [(row["iteration"], row["val_loss"], row["learning_rate"]) for row in history(tracker)]
    assert rows == [(0, 4.5, 1e-3), (10, None, 1e-3), (20, 2.5, 1e-3), (15, 3.5, None)]


def test_an_evaluations_train_loss_never_replaces() -> None:
    """The train loss of an evaluation fills one that is missing; the last val loss of an iteration counts; the journal has all."""
    tracker = started()
    tracker.log_metrics(0, train_loss=3.0)
    tracker.log_metrics(1)
    tracker.log_eval(0, train_loss=9.0, val_loss=2.0)
    tracker.log_eval(1, train_loss=8.0)
    tracker.log_eval(0, val_loss=1.0)
    assert [(row["train_loss"], row["val_loss"]) for row in history(tracker)] == [(3.0, 1.0), (8.0, None)]


def test_an_evaluation_fills_the_latest_of_its_iteration() -> None:
    """Of two snapshots of one iteration the later one is filled; a snapshot after the evaluation is a new one."""
    tracker = started()
    tracker.log_metrics(5, train_loss=3.0)
    tracker.log_metrics(5, train_loss=2.0)
    tracker.log_eval(5, val_loss=1.0)
    tracker.log_metrics(5, train_loss=1.5)
    assert [(row["train_loss"], row["val_loss"]) for row in history(tracker)] == [(3.0, None), (2.0, 1.0), (1.5, None)]


def test_S1_16_gradient_steps_are_counted() -> None:
    """Each later snapshot tells how many steps of the optimizer there were, as an int."""
    tracker = started()
    tracker.log_metrics(0)
    for _ in range(3):
        tracker.increment_gradient_step()
    tracker.log_metrics(1)
    tracker.log_eval(2, val_loss=1.0)
    assert [repr(row["gradient_step"]) for row in history(tracker)] == ["0", "3", "3"]


def test_S1_17_finish_sets_the_end() -> None:
    """`finish` sets end time, duration, final losses and notes, in the file and in the run."""
    tracker = started()
    tracker.log_metrics(0, train_loss=3.0)
    tracker.finish(train_loss=2.0, val_loss=2.5, notes="why not\nwider?")
    log = strict(tracker.save())
    begin, end = datetime.fromisoformat(log["start_time"]), datetime.fromisoformat(log["end_time"])
    assert (log["final_train_loss"], log["final_val_loss"], log["notes"]) == (2.0, 2.5, "why not\nwider?")
    assert log["duration_seconds"] > log["metrics_history"][0]["wallclock_time"] > 0
    assert abs((end - begin).total_seconds() - log["duration_seconds"]) < 1e-5
    with runfolio.open_store() as store:
        ended = store.run("latest")
        assert (ended.status, ended.notes) == ("finished", "why not\nwider?")
        assert (ended.summary["final_train_loss"], ended.summary["final_val_loss"]) == (2.0, 2.5)


def test_a_finished_tracker_refuses_more() -> None:
    """After `finish` a log call says so and names the iteration, as does a second end with other facts; a bare one is silent."""
    tracker = started()
    tracker.finish(train_loss=1.0)
    tracker.finish()
    for call in (tracker.log_metrics, tracker.log_eval):
        with pytest.raises(runfolio.RunIsClosed, match="'tiny' is finished, and takes no iteration 7"):
            call(7, train_loss=0.5)
    with pytest.raises(runfolio.RunIsClosed, match="losses"):
        tracker.finish(train_loss=0.5)
    assert strict(tracker.save())["final_train_loss"] == 1.0


def test_S1_18_save_writes_the_file() -> None:
    """`save` returns the path of a file that is exact, before `finish` and after; all saves write the same one."""
    tracker = started()
    paths = [tracker.save()]
    assert strict(paths[0])["metrics_history"] == []
    tracker.log_metrics(0, train_loss=3.0)
    paths.append(tracker.save())
    log = strict(paths[1])
    assert ([row["train_loss"] for row in log["metrics_history"]], log["end_time"], log["duration_seconds"]) == (
        [3.0], None, None,
    )  # fmt: skip
    tracker.finish()
    paths.append(tracker.save())
    assert strict(paths[2])["end_time"]
    assert isinstance(paths[0], Path) and len(set(paths)) == len(list(FOLDER.iterdir())) == 1


def test_save_finds_the_file_from_another_folder(tmp_path: Path) -> None:
    """A script that goes elsewhere after the start gets the path of the file where it lies."""
    tracker = started()
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")
    assert tracker.save().parent == tmp_path / FOLDER


def test_S1_19_a_look_at_any_time(capsys: pytest.CaptureFixture[str]) -> None:
    """The summary can be printed, asked for as a dict, and the time told: before the start, in the loop and after the end."""
    tracker = ExperimentTracker(ExperimentConfig("tiny"))
    assert (tracker.get_elapsed_time(), tracker.get_summary_stats()["snapshots"]) == (0.0, 0)
    tracker.print_summary()
    tracker.start()
    tracker.log_metrics(0, train_loss=3.0, tokens_per_sec=100.0)
    tracker.log_eval(0, val_loss=3.5)
    tracker.increment_gradient_step()
    stats = tracker.get_summary_stats()
    elapsed = stats.pop("elapsed_seconds")
    assert 0 < elapsed <= tracker.get_elapsed_time()
    assert stats == {
        "experiment_name": "tiny", "iterations": 1, "snapshots": 1, "gradient_steps": 1, "best_train_loss": 3.0, "best_val_loss": 3.5,
        "final_train_loss": None, "final_val_loss": None, "mean_tokens_per_sec": 100.0,
    }  # fmt: skip
    tracker.finish(val_loss=3.25, notes="wider")
    capsys.readouterr()
    tracker.print_summary()
    printed = capsys.readouterr().out
    assert all(part in printed for part in ("Experiment: tiny", "3.000000", "3.250000", "wider"))


# ------------------------------------------------------------------------------------------------------------ the file


def test_S1_21_the_fields_of_a_snapshot() -> None:
    """A snapshot has the documented fields, in their order: ints are ints, seconds since the start a float."""
    tracker = started()
    tracker.log_metrics(0, train_loss=3.0)
    tracker.log_metrics(1, train_loss=3.0)
    rows = history(tracker)
    assert all(tuple(row) == FIELDS for row in rows)
    assert 0 <= rows[0]["wallclock_time"] < rows[1]["wallclock_time"] < 60
    assert isinstance(rows[0]["wallclock_time"], float)


def test_S1_22_the_name_of_the_file() -> None:
    """experiment_<name>_<YYYYMMDD_HHMMSS>.json, of the second in which it started, local time."""
    before = datetime.now().replace(microsecond=0)
    path = saved("baseline_tinystories")
    stamp = path.name.removeprefix("experiment_baseline_tinystories_").removesuffix(".json")
    named = datetime.strptime(stamp, "%Y%m%d_%H%M%S")
    assert before <= named <= datetime.now()
    assert datetime.fromisoformat(strict(path)["start_time"]).replace(tzinfo=None, microsecond=0) == named


def test_S1_22_a_second_that_is_taken_moves_on() -> None:
    """Many of one name in one second have files of their own, each whole; a file on the disk takes its second too."""
    FOLDER.mkdir()
    now = datetime.now()
    for ahead in range(20):  # all seconds that this test may take
        (FOLDER / f"experiment_tiny_{now + timedelta(seconds=ahead):%Y%m%d_%H%M%S}.json").write_text("{}")
    with pytest.warns(runfolio.RunfolioWarning, match="and 15 more"):  # no experiments, those: nothing to import
        paths = [saved(train=(float(number),)) for number in range(3)]
    assert len(set(paths)) == 3
    assert [strict(path)["metrics_history"][0]["train_loss"] for path in paths] == [0.0, 1.0, 2.0]
    assert len(list(FOLDER.iterdir())) == 23
    assert min(paths).name > f"experiment_tiny_{now + timedelta(seconds=19):%Y%m%d_%H%M%S}.json"


def test_S1_22_two_trackers_at_once_take_two_files() -> None:
    """Trackers that start at the same moment, in threads, never share a file."""
    trackers = [ExperimentTracker(ExperimentConfig("tiny", seed=seed)) for seed in range(8)]
    threads = [threading.Thread(target=tracker.start) for tracker in trackers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seeds = [strict(tracker.save())["config"]["seed"] for tracker in trackers]
    assert seeds == list(range(8))
    assert len(list(FOLDER.iterdir())) == 8


def test_S1_23_the_content_of_the_file() -> None:
    """The file has the documented fields, and the config all hyperparameters as they were."""
    path = saved(val=(2.5,), d_model=64, max_learning_rate=1e-3)
    log = strict(path)
    assert list(log) == [
        "config", "start_time", "end_time", "duration_seconds", "metrics_history", "best_train_loss", "best_val_loss",
        "final_train_loss", "final_val_loss", "notes",
    ]  # fmt: skip
    expected = vars(ExperimentConfig("tiny", d_model=64, max_learning_rate=1e-3))
    assert list(log["config"].items()) == list(expected.items())
    assert [type(value) for value in log["config"].values()] == [type(value) for value in expected.values()]


def test_S1_24_best_is_of_the_whole_history() -> None:
    """The best losses are the lowest of the history and the final ones, not the last; NaN is none."""
    tracker = started()
    for iteration, loss in enumerate((3.0, 1.0, math.nan, 2.0)):
        tracker.log_metrics(iteration, train_loss=loss)
        tracker.log_eval(iteration, val_loss=loss + 1)
    log = strict(tracker.save())
    assert (log["best_train_loss"], log["best_val_loss"]) == (1.0, 2.0)
    tracker.finish(train_loss=0.5, val_loss=5.0)
    log = strict(tracker.save())
    assert (log["best_train_loss"], log["best_val_loss"]) == (0.5, 2.0)


def test_nothing_is_bent_on_the_way_to_the_file() -> None:
    """NaN and the infinities are texts in strict JSON; notes and names that look like them stay text; each float is exact."""
    tracker = started("NaN", grad_clip=math.inf)
    values = (math.nan, math.inf, -math.inf, 0.1, 5e-324, 1.7976931348623157e308)
    for iteration, value in enumerate(values):
        tracker.log_metrics(iteration, train_loss=value)
    tracker.finish(val_loss=math.nan, notes='Infinity "NaN" }, { \U0001f600')
    log = strict(tracker.save())
    assert [row["train_loss"] for row in log["metrics_history"]] == ["NaN", "Infinity", "-Infinity", *values[3:]]
    assert (log["config"]["grad_clip"], log["config"]["experiment_name"]) == ("Infinity", "NaN")
    assert (log["final_val_loss"], log["best_val_loss"]) == ("NaN", None)
    assert log["notes"] == 'Infinity "NaN" }, { \U0001f600'


def test_what_else_the_script_logs_is_not_of_the_file() -> None:
    """Metrics that the script logs to the run itself stay in the run, and leave the snapshots as they are."""
    tracker = started()
    tracker.log_metrics(0, train_loss=3.0)
    runfolio.log({"grad_norm": 0.5}, step=0)
    assert [tuple(row) for row in history(tracker)] == [FIELDS]


def test_a_foreign_file_is_never_overwritten() -> None:
    """A file that somebody has edited since stays as it is; ours goes beside it, and a warning says so."""
    tracker = started()
    tracker.log_metrics(0, train_loss=3.0)
    path = tracker.save()
    path.write_text('{"mine": 1}')
    tracker.log_metrics(1, train_loss=2.0)
    with pytest.warns(runfolio.RunfolioWarning, match="stays as it is"):
        tracker.finish()
    tracker.save()
    assert path.read_text() == '{"mine": 1}'
    assert len(strict(Path(f"{path}.runfolio"))["metrics_history"]) == 2


# ------------------------------------------------------------------------------------------------------------ cost and end

SCRIPT = """
import sys
from runfolio.dialects.cs336.experiment_log import ExperimentTracker, ExperimentConfig
tracker = ExperimentTracker(ExperimentConfig("tiny"))
tracker.start()
for n in range(300):
    tracker.log_metrics(n, train_loss=float(n))
print("logged", flush=True)
"""


def only_file() -> Path:
    (path,) = FOLDER.iterdir()
    return path


def test_the_file_is_exact_after_a_kill() -> None:
    """After a SIGKILL the file comes to hold every snapshot, and an end time."""
    process = start(SCRIPT + "input()")
    assert process.stdout is not None and process.stdout.readline() == "logged\n"
    process.kill()
    process.communicate()
    assert eventually(lambda: not companions())
    log = strict(only_file())
    assert [row["iteration"] for row in log["metrics_history"]] == list(range(300))
    assert log["duration_seconds"] >= log["metrics_history"][-1]["wallclock_time"]
    assert datetime.fromisoformat(log["end_time"])


def test_the_file_is_exact_after_a_script_without_finish() -> None:
    """A script that just ends leaves an exact file too; one that fails is a failed run."""
    ran = run(SCRIPT + "raise RuntimeError('diverged')")
    assert "diverged" in ran.stderr
    log = strict(only_file())
    assert len(log["metrics_history"]) == 300 and log["end_time"]
    with runfolio.open_store() as store:
        assert store.run("tiny").status == "failed"


def test_the_import_is_light() -> None:
    """Importing both modules, and logging, loads neither numpy nor anything else that only readers need."""
    code = SCRIPT + "import runfolio.dialects.cs336.experiment_analysis\ntracker.finish()\ntracker.save()\n"
    ran = run(code + "print([n for n in ('numpy', 'duckdb', 'sqlite3', 'click', 'yaml') if n in sys.modules])")
    assert ran.stdout == "logged\n[]\n"


def test_in_the_launcher_the_script_takes_the_launchers_run() -> None:
    """Under `runfolio run` the first tracker writes into the launcher's run, and -p gives way to the config; a second has its own."""
    Path("train.py").write_text(
        "from runfolio.dialects.cs336.experiment_log import ExperimentTracker, ExperimentConfig\n"
        "for name in ('one', 'two'):\n"
        "    tracker = ExperimentTracker(ExperimentConfig(name, d_model=64))\n"
        "    tracker.start()\n"
        "    tracker.log_metrics(0, train_loss=1.0)\n"
        "    tracker.finish(train_loss=0.5)\n"
        "    tracker.save()\n"
    )
    ran = run("import sys; sys.argv = ['runfolio', 'run', 'train.py', '-p', 'd_model=32']\n"
              "from runfolio.cli.main import main; main()")  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    logs = [strict(path) for path in sorted(FOLDER.iterdir())]
    assert [log["config"]["d_model"] for log in logs] == [64, 64]
    assert [log["final_train_loss"] for log in logs] == [0.5, 0.5]
    with runfolio.open_store() as store:
        assert {found.name: found.status for found in store.runs()} == {"one": "finished", "two": "finished"}


class _Opened:
    """Counts the files that this thread opens or renames while it is told to: an audit hook cannot be taken away again."""

    def __init__(self) -> None:
        self.count: int | None = None
        self._thread = threading.get_ident()
        sys.addaudithook(self._hear)

    def _hear(self, event: str, _arguments: object) -> None:
        if self.count is not None and event in ("open", "os.rename") and threading.get_ident() == self._thread:
            self.count += 1


def test_100_000_calls_write_no_file_each(record_property: Any) -> None:
    """100,000 calls open and rename next to nothing, and all of them stand in the file."""
    tracker = started()
    opened = _Opened()
    opened.count = 0
    for iteration in range(100_000):
        tracker.log_metrics(iteration, train_loss=1.5, learning_rate=1e-3, tokens_per_sec=100.0, iter_time_ms=5.0)
    count, opened.count = opened.count, None
    record_property("cs336, 100,000 calls of log_metrics", f"{count} files opened or renamed in the loop")
    assert count < 20
    assert len(history(tracker)) == 100_000


def test_a_call_costs_one_python_call_more_than_the_runs_own() -> None:
    """Besides itself, log_metrics makes the Python calls that `run.log` of the same metrics makes, and no other."""
    tracker = started()
    tracker.log_metrics(0, train_loss=1.0)
    run = runfolio.active_run()
    assert run is not None
    metrics = {"train_loss": 1.0, "learning_rate": 0.0, "tokens_per_sec": 0.0, "iter_time_ms": 0.0, "gradient_step": 0}
    native = python_calls(lambda: run.log({**metrics, "wallclock_time": 1.5}, 1))
    assert python_calls(lambda: tracker.log_metrics(1, train_loss=1.0)) == native + 1


def python_calls(act: Callable[[], None]) -> int:
    """Count the Python functions that a call enters at the least: now and then the journal has something of its own to do."""
    counts = []
    for _ in range(20):
        events: list[str] = []
        sys.setprofile(lambda _frame, event, _what: events.append(event))  # noqa: B023
        try:
            act()
        finally:
            sys.setprofile(None)
        counts.append(events.count("call"))
    return min(counts)


def test_a_disabled_run_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With RUNFOLIO_MODE=disabled every call works and no file or folder appears."""
    monkeypatch.setenv("RUNFOLIO_MODE", "disabled")
    tracker = started()
    tracker.log_metrics(0, train_loss=1.0)
    tracker.log_eval(0, val_loss=1.0)
    tracker.finish(train_loss=1.0, notes="n")
    tracker.print_summary()
    assert tracker.save().parent == FOLDER
    assert not FOLDER.exists()


def test_the_old_is_imported_before_the_first_file() -> None:
    """Before our first file lies in a folder, what the original program left is in the store, once, and its files as they were."""
    old = write_old(old_log("baseline", []))
    torn = FOLDER / "experiment_torn_20250222_140531.json"
    torn.write_text('{"config": {')
    before = old.read_bytes()
    with pytest.warns(runfolio.RunfolioWarning, match=r"not imported: experiment_torn_\d+_\d+.json: no JSON"):
        saved("ours")
    saved("ours")
    with runfolio.open_store() as store:
        assert sorted(found.name or "" for found in store.runs()) == ["baseline", "ours", "ours"]
    assert old.read_bytes() == before


def test_a_store_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store is no folder, the tracker warns and goes on."""
    Path("nowhere").write_text("a file")
    monkeypatch.setenv("RUNFOLIO_DIR", str(Path("nowhere/store").absolute()))
    with pytest.warns(runfolio.RunfolioWarning):
        tracker = started()
        tracker.log_metrics(0, train_loss=1.0)
        tracker.finish()


def test_names_of_files_are_claimed_in_the_store() -> None:
    """The claim, and not only the disk, says whose a name is: it holds before the file is there."""
    tracker = started()
    active = runfolio.active_run()
    assert active is not None
    owner = file_name.owner_of(active.pen.layout, file_name.KIND, os.path.realpath(tracker._path))
    assert owner == active.id
