"""S1, the analyzer and the habits around it: one test for each promise of the document, and for our decisions about it."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

import runfolio
from dialects.cs336.making import FIELDS, FOLDER, loaded, old_log, old_snapshot, saved, started, strict, write_old
from runfolio.dialects.cs336.experiment_analysis import ExperimentAnalyzer
from runfolio.dialects.cs336.experiment_log import ExperimentLog


def test_S1_25_the_default_folder() -> None:
    """The analyzer reads `experiment_logs`, or the folder it is given."""
    assert ExperimentAnalyzer().log_dir == FOLDER
    write_old(old_log("elsewhere", []), folder=Path("other"))
    analyzer = ExperimentAnalyzer(log_dir="other")
    analyzer.load_all()
    assert list(analyzer.logs) == ["elsewhere"]


def test_S1_26_load_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Every experiment of the folder is loaded, ours and old ones; torn files are told and passed over, other JSON just passed over."""
    saved("ours")
    write_old(old_log("old", [old_snapshot(0)]))
    torn = write_old(old_log("torn", [old_snapshot(0)]))
    torn.write_bytes(torn.read_bytes()[:-40])
    (FOLDER / "experiment_empty_20250101_000000.json").write_text("")
    (FOLDER / "renamed.json").write_text(json.dumps(old_log("renamed", [])))
    (FOLDER / "vocabulary.json").write_text('["a", "b"]')
    (FOLDER / "notes.txt").write_text("no JSON")
    analyzer = loaded()
    assert list(analyzer.logs) == ["old", "ours", "renamed"]
    printed = capsys.readouterr().out
    assert "Skipped experiment_torn_20250222_140530.json: no JSON" in printed
    assert "Skipped experiment_empty_20250101_000000.json: it is empty" in printed
    assert "vocabulary" not in printed


def test_S1_26_a_missing_folder_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is told, and nothing is loaded."""
    analyzer = ExperimentAnalyzer("nowhere")
    analyzer.load_all()
    assert (analyzer.logs, "nowhere" in capsys.readouterr().out) == ({}, True)


def test_S1_27_load_specific(capsys: pytest.CaptureFixture[str]) -> None:
    """Experiments are loaded by name, beside those that are there already; a name that is not there is told."""
    for name in ("exp1", "exp2", "exp3"):
        saved(name)
    analyzer = ExperimentAnalyzer()
    analyzer.load_specific(["exp1", "exp2", "exp9"])
    assert list(analyzer.logs) == ["exp1", "exp2"]
    assert "'exp9'" in capsys.readouterr().out
    analyzer.load_specific(["exp3"])
    assert list(analyzer.logs) == ["exp1", "exp2", "exp3"]


def test_S1_28_logs_by_name() -> None:
    """`logs` gives the ExperimentLog of a name; of two with one name, the later file's."""
    saved("a", train=(3.0,), seed=1)
    saved("b")
    saved("a", train=(2.0,), seed=2)
    logs = loaded().logs
    assert all(isinstance(log, ExperimentLog) for log in logs.values())
    assert (logs["a"].config.seed, logs["a"].best_train_loss) == (2, 2.0)


def test_S1_29_the_comparison_table() -> None:
    """A row for each experiment: best losses, duration, iterations; N/A for what is missing; a word where nothing is loaded."""
    assert ExperimentAnalyzer().get_comparison_table() == "No experiments loaded"
    snapshots = [old_snapshot(0, val_loss=4.25), old_snapshot(9)]
    write_old(old_log("baseline", snapshots, final_train_loss=None, final_val_loss=None, duration_seconds=3725.0))
    write_old(old_log("bare", [], final_train_loss=None, final_val_loss=None, duration_seconds=None, **_NO_BEST))
    assert loaded().get_comparison_table().splitlines() == [
        "Name      Train Loss  Val Loss    Duration  Iterations",
        "--------  ----------  --------  ----------  ----------",
        "bare             N/A       N/A         N/A           0",
        "baseline    3.100000  4.250000  1h 02m 05s          10",
    ]


_NO_BEST = {"best_train_loss": None, "best_val_loss": None}


def test_S1_30_print_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """One experiment is printed by name; control characters of its notes do nothing to the terminal."""
    write_old(old_log("baseline", [old_snapshot(4)], notes="wider\x1b[2J"))
    loaded().print_summary("baseline")
    printed = capsys.readouterr().out
    expected = ("baseline", "10.0s", "Iterations:       5", "3.500000", "3.750000", "wider\\x1b[2J")
    assert [part for part in expected if part not in printed] == []


def test_S1_31_the_best_experiment() -> None:
    """The lowest of the history and the final values wins; ties go to the first; duration counts too; nothing gives None."""
    saved("a", train=(3.0, 1.0, 2.0), val=(4.0, 2.0, 3.0))
    saved("b", train=(2.0, 1.5), val=(2.5,))
    saved("c", train=(9.0,), val=(2.0,))
    tracker = started("final")
    tracker.finish(train_loss=0.5)
    tracker.save()
    analyzer = loaded()
    assert analyzer.get_best_experiment("val_loss") == ("a", 2.0)
    assert analyzer.get_best_experiment("train_loss") == ("final", 0.5)
    assert analyzer.get_best_experiment() == ("a", 2.0)
    _name, seconds = analyzer.get_best_experiment("duration") or ("", -1.0)
    assert seconds == min(log.duration_seconds or math.inf for log in analyzer.logs.values()) > 0
    assert ExperimentAnalyzer().get_best_experiment("val_loss") is None
    with pytest.raises(runfolio.UsageError, match="'accuracy'"):
        analyzer.get_best_experiment("accuracy")


def test_S1_31_nan_never_wins() -> None:
    """NaN in the history, as the final value or as the stored best, in our files and in old ones, never wins; -inf does."""
    nan = math.nan
    write_old(old_log("a_nan", [old_snapshot(0, val_loss=nan)], final_val_loss=nan, best_val_loss=nan))
    saved("b_ours", val=(nan, 2.5))
    assert loaded().get_best_experiment("val_loss") == ("b_ours", 2.5)
    saved("c_inf", val=(-math.inf,))
    assert loaded().get_best_experiment("val_loss") == ("c_inf", -math.inf)


def test_S1_31_only_nan_is_nothing() -> None:
    """Where all there is is NaN, there is no best."""
    saved(val=(math.nan,))
    assert loaded().get_best_experiment("val_loss") is None


def test_S1_32_loss_trajectories_are_aligned() -> None:
    """The three lists have one length; what was not measured is None; NaN and the infinities are floats again."""
    saved("a", train=(3.0, math.inf, 1.0), val=(4.0, math.nan))
    iterations, train, val = loaded().get_loss_trajectories("a")
    assert (iterations, train) == ([0, 1, 2], [3.0, math.inf, 1.0])
    assert repr(val) == "[4.0, nan, None]"


def test_S1_33_the_throughput_trajectory() -> None:
    """Iterations and tokens per second, without those that were not measured."""
    tracker = started("a")
    for iteration, speed in enumerate((0.0, 100.0, 0.0, 200.0)):
        tracker.log_metrics(iteration, tokens_per_sec=speed)
    tracker.log_eval(9, val_loss=1.0)
    tracker.finish()
    assert loaded().get_throughput_trajectory("a") == ([1, 3], [100.0, 200.0])


def test_S1_34_the_learning_rate_trajectory() -> None:
    """Iterations and learning rates, a warmup's 0.0 too, without the snapshots that an evaluation made."""
    tracker = started("a")
    for iteration in range(3):
        tracker.log_metrics(iteration, learning_rate=1e-3 * iteration)
    tracker.log_eval(9, val_loss=1.0)
    tracker.finish()
    assert loaded().get_learning_rate_trajectory("a") == ([0, 1, 2], [0.0, 1e-3, 2e-3])


def test_S1_35_export_csv() -> None:
    """The documented columns, NA for what is missing, every float as it is."""
    tracker = started("a")
    tracker.log_metrics(0, train_loss=0.1 + 0.2, learning_rate=1e-3)
    tracker.log_eval(5, val_loss=math.nan)
    tracker.finish()
    loaded().export_csv("a", Path("results.csv"))
    head, first, second = csv.reader(Path("results.csv").read_text().splitlines())
    assert tuple(head) == FIELDS
    assert [first[0], first[3], first[4]] == ["0", "0.30000000000000004", "NA"]
    assert [second[0], second[3], second[4], second[7]] == ["5", "NA", "nan", "NA"]


def test_S1_35_an_unwritable_place_is_an_error() -> None:
    """A CSV that cannot be written raises, and names its path."""
    saved("a")
    with pytest.raises(OSError, match=r"no/where\.csv"):
        loaded().export_csv("a", "no/where.csv")


def test_S1_36_the_best_is_printed() -> None:
    """The document's line shows name and value with six digits."""
    saved("a", val=(2.0 / 3.0,))
    best_name, best_loss = loaded().get_best_experiment("val_loss") or ("", 0.0)
    assert f"Best: {best_name} ({best_loss:.6f})" == "Best: a (0.666667)"


@pytest.mark.parametrize(
    "ask", ["print_summary", "get_loss_trajectories", "get_throughput_trajectory", "get_learning_rate_trajectory"]
)
def test_a_name_that_is_not_loaded_is_an_error(ask: str) -> None:
    """An unknown name is named, with those that there are and what to do."""
    saved("there")
    with pytest.raises(runfolio.RunNotFound, match=r"no experiment 'gone' is loaded; there are: 'there'. load_all\(\)"):
        getattr(loaded(), ask)("gone")


def test_a_live_experiment_is_exact() -> None:
    """What this process is logging is in the file when the analyzer loads: nobody needs to save first."""
    tracker = started("live")
    for iteration in range(50):
        tracker.log_metrics(iteration, train_loss=1.0)
        if iteration % 10 == 9:
            assert len(loaded().get_loss_trajectories("live")[0]) == iteration + 1
    tracker.finish(train_loss=0.5)
    assert loaded().logs["live"].final_train_loss == 0.5


def test_old_files_with_missing_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """Missing fields take their defaults, unknown ones are kept as attributes; what makes no sense is told."""
    history = [{"iteration": 0, "train_loss": 3.0}, {"train_loss": 2.0}, "torn", {"iteration": 2.0, "val_loss": "bad"}]
    write_old({"config": {"experiment_name": "small", "model_name": "LM"}, "metrics_history": history, "extra": [1]})
    log = loaded().logs["small"]
    assert (log.config.d_model, log.config.model_name) == (512, "LM")  # type: ignore[attr-defined]
    assert (log.notes, log.end_time, log.extra, log.best_train_loss) == ("", None, [1], 3.0)  # type: ignore[attr-defined]
    assert [(each.iteration, each.train_loss, each.val_loss) for each in log.metrics_history] == [
        (0, 3.0, None),
        (2, None, None),
    ]
    printed = capsys.readouterr().out
    assert "snapshot 1 has no iteration" in printed and "snapshot 2 has no iteration" in printed
    assert "iteration 2: val_loss is no number: 'bad'" in printed


def test_a_file_without_a_name_has_that_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    """An experiment whose config lacks the name is called as its file is."""
    FOLDER.mkdir()
    (FOLDER / "experiment_lr_1e-03_20250222_140530.json").write_text('{"metrics_history": []}')
    assert list(loaded().logs) == ["lr_1e-03"]
    assert "taken from the file's name" in capsys.readouterr().out


# ------------------------------------------------------------------------------------------------------------ habits


def test_S1_37_the_tips_work(capsys: pytest.CaptureFixture[str]) -> None:
    """Descriptive names, notes that tell them apart, comparing again after each experiment, CSV that a spreadsheet reads."""
    analyzer = ExperimentAnalyzer()
    for count, name in enumerate(("baseline", "lr_1e-3", "double_capacity"), 1):
        tracker = started(name)
        tracker.log_metrics(0, train_loss=3.0 - count)
        tracker.finish(notes=f"what makes {name} different")
        tracker.save()
        analyzer.load_all()
        assert len(analyzer.get_comparison_table().splitlines()) == 2 + count
    analyzer.print_summary("double_capacity")
    assert "what makes double_capacity different" in capsys.readouterr().out
    analyzer.export_csv("lr_1e-3", Path("a.csv"))
    assert next(csv.DictReader(Path("a.csv").read_text().splitlines()))["train_loss"] == "1.0"


def test_S1_38_the_checklist_holds() -> None:
    """Each of the nine checks is true after the documented flow; a folder made beforehand is no trouble."""
    FOLDER.mkdir()
    tracker = started("my_experiment")
    assert FOLDER.is_dir() and tracker.get_elapsed_time() > 0
    for iteration in range(3):
        tracker.log_metrics(iteration, train_loss=1.0)
        tracker.increment_gradient_step()
    tracker.finish()
    path = tracker.save()
    assert path.suffix == ".json" and path.parent == FOLDER
    assert [row["gradient_step"] for row in strict(path)["metrics_history"]] == [0, 1, 2]
    assert list(loaded().logs) == ["my_experiment"]


def test_S1_39_the_hand_written_journal_is_the_users() -> None:
    """EXPERIMENT_LOG.md, beside the folder or in it, is neither read nor changed."""
    FOLDER.mkdir()
    journals = [Path("EXPERIMENT_LOG.md"), FOLDER / "EXPERIMENT_LOG.md"]
    for journal in journals:
        journal.write_text("# Monday\nwider is better\n")
    saved("a")
    assert list(loaded().logs) == ["a"]
    assert {journal.read_text() for journal in journals} == {"# Monday\nwider is better\n"}
