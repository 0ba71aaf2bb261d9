"""Each code block of the lab's document runs, with our imports in it, and what it shows is what we write and print."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dialects.blocks import Block, blocks_of, mapped
from dialects.lab.labs import make_shown
from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker

BLOCKS = {block.number: block for block in blocks_of("lab")}
STAMP = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"')

AS_IS = {
    4: "compare: its output is compared with the comment",
    5: "plot",
    6: "--list: its output is compared with the comment",
    9: "compare as a DataFrame",
    10: "details of a run",
    12: "params.json",
    13: "metrics.json",
    14: "metadata.json",
    15: "is there a metrics file",
    16: "which runs are there",
    17: "which metrics has a run",
}
WITH_STAND_INS = {
    3: "losses, AUC and the two files are named only",
    7: "load_config, train_epoch(...), validate_epoch, the model's path and what it is trained on are named only",
    8: "torch and ml.models.tabular are another project's",
    11: "its logging is a comment: it is taken out of the comment, with a value",
}
ILLUSTRATION = {
    1: "the original's own source tree",
    2: "the storage tree: test_S3_02 makes the like of it",
}

Run = Callable[..., dict[str, Any]]


def stamped(text: str) -> str:
    """Blank the times."""
    return STAMP.sub('"…"', text)


def commands(block: Block) -> list[str]:
    """Give the commands of a shell block, as arguments of ours."""
    lines = [line for line in mapped(block.text, "lab").splitlines() if line and not line.startswith("#")]
    return [line.removeprefix("python -m ") for line in lines]


def commented(block: Block) -> list[str]:
    """Give the output that a shell block shows as a comment."""
    _, _, shown = block.text.partition("# Output:\n")
    return [line.removeprefix("#").removeprefix(" ") for line in shown.splitlines()]


def printed(command: str) -> list[str]:
    """Run a command of the document; give what it prints, without blanks at the ends of lines."""
    done = subprocess.run([sys.executable, "-m", *command.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.rstrip() for line in done.stdout.splitlines()]


@pytest.fixture
def run() -> Run:
    """Run a Python block of the document, with names that it leaves out."""

    def run(number: int, edit: Callable[[str], str] = str, **names: Any) -> dict[str, Any]:
        space = {"__name__": "block", **names}
        exec(compile(edit(mapped(BLOCKS[number].text, "lab")), f"lab.md block {number}", "exec"), space)
        return space

    return run


@pytest.fixture
def shown() -> list[str]:
    return make_shown(ExperimentTracker())


def test_every_block_is_in_one_list() -> None:
    """Each block runs as it is, runs with stand-ins, or is an illustration."""
    assert sorted([*AS_IS, *WITH_STAND_INS, *ILLUSTRATION]) == sorted(BLOCKS)
    assert (len(AS_IS), len(WITH_STAND_INS), len(ILLUSTRATION)) == (11, 4, 2)


def test_block_3_basic_usage(run: Run) -> None:
    """The quick start makes a completed run with thirty epochs, final values and two artifacts."""
    Path("path/to").mkdir(parents=True)
    for name in ("model_best.pt", "loss_curve.png"):
        Path("path/to", name).write_bytes(name.encode())
    values = dict.fromkeys(("train_loss", "val_loss", "val_auc", "test_acc", "test_auc", "test_loss"), 0.5)
    space = run(3, **values)
    found = space["tracker"].get_run(space["run_id"])
    assert (found["status"], found["tags"]) == ("completed", {"version": "v1", "team": "ml"})
    assert [len(found["metrics"][name]) for name in ("val_auc", "test_auc")] == [30, 1]
    assert {path.name for path in Path(found["run_dir"], "artifacts").iterdir()} == {"model_best.pt", "loss_curve.png"}


def test_block_4_compare(shown: list[str]) -> None:
    """The comparison prints the document's output, character by character."""
    (command,) = commands(BLOCKS[4])
    assert printed(command) == commented(BLOCKS[4])


def test_block_5_plot(shown: list[str]) -> None:
    """The plot lands where the document says."""
    (command,) = commands(BLOCKS[5])
    printed(command)
    assert "# Creates: experiments/metric_comparison_val_auc.png" in BLOCKS[5].text
    assert Path("experiments/metric_comparison_val_auc.png").stat().st_size > 1000


def test_block_6_list() -> None:
    """The list prints the document's output, character by character."""
    tracker = ExperimentTracker()
    make_shown(tracker, finish=False)
    for _ in range(3):
        tracker.finish_run(tracker.create_run("ranking_model"))
    (command,) = commands(BLOCKS[6])
    assert printed(command) == commented(BLOCKS[6])


def test_block_7_training_script(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The training script tracks its params, epochs, test values and model, and tells the run's id."""
    training = {"batch_size": 8, "learning_rate": 0.1, "epochs": 2, "early_stopping_patience": 3}
    config = {"model": {"type": "mlp", "hidden_dims": [4], "dropout": 0.0}, "training": training}
    Path("best.pt").write_bytes(b"w")
    measured = {"loss": 0.5, "accuracy": 0.75, "auc": 0.8}
    names = dict.fromkeys(("model", "test_loader", "criterion", "device"))
    space = run(
        7, load_config=lambda path: config, train_epoch=lambda *_: measured, validate_epoch=lambda *_, **__: measured,
        epochs=2, model_save_path="best.pt", **names,
    )  # fmt: skip
    output_dir, run_id = space["main"]("c.yaml", "out")
    assert f"✅ Experiment tracked: {run_id}" in capsys.readouterr().out
    found = ExperimentTracker().get_run(run_id)
    assert found is not None and output_dir == "out"
    assert found["params"]["weight_decay"] == 0.0 and found["params"]["hidden_dims"] == [4]
    assert [entry["step"] for entry in found["metrics"]["val_auc"]] == [1, 2]
    assert Path(found["run_dir"], "artifacts/model_best.pt").exists()


def test_block_8_best_run(run: Run, shown: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """The best run's params build the model, and its run_dir leads to the weights."""
    tracker = ExperimentTracker()
    Path("model_best.pt").write_bytes(b"weights")
    tracker.log_artifact("run_005", "model_best.pt")
    built: dict[str, Any] = {}

    class TabularClassifier:
        def __init__(self, **params: Any) -> None:
            built["params"] = params

        def load_state_dict(self, state: bytes) -> None:
            built["state"] = state

    for name, content in (
        ("torch", {"load": lambda path: Path(path).read_bytes()}),
        ("ml", {}),
        ("ml.models", {}),
        ("ml.models.tabular", {"TabularClassifier": TabularClassifier}),
    ):
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    run(8)
    assert built["state"] == b"weights"
    assert built["params"]["hidden_dims"] == [512, 256, 128, 64]
    assert capsys.readouterr().out == "Best run: run_005\nBest AUC: 0.8234\n"


def test_block_9_compare_programmatically(run: Run, shown: list[str]) -> None:
    """The three best stand in the DataFrame, best first."""
    space = run(9, ExperimentTracker=ExperimentTracker)
    assert list(space["top_3"]["run_id"]) == ["run_005", "run_003", "run_001"]


def test_block_10_details(run: Run, shown: list[str], capsys: Any) -> None:
    """A run's details print with its params, last values and history."""
    run(10, ExperimentTracker=ExperimentTracker)
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == ["Run ID: run_001", "Status: completed"]
    assert "  test_auc: 0.8145" in printed and printed[-1].startswith("Epoch 2: ")


def test_block_11_sweep(run: Run, capsys: Any) -> None:
    """The sweep makes 27 runs and finds the best."""

    def with_results(text: str) -> str:
        return text.replace("# tracker.log_metrics(run_id, {...})", "tracker.log_metrics(run_id, {'test_auc': lr + bs})").replace(
            "# tracker.finish_run(run_id)", "tracker.finish_run(run_id) if i % 9 == 0 else None"
        )  # fmt: skip

    space = run(11, with_results)
    assert len(space["tracker"].list_runs("ctr_model_sweep")) == 27
    assert space["best"]["params"] == {"learning_rate": 0.01, "batch_size": 256, "hidden_dims": [256, 128, 64]}
    assert "Best config: {" in capsys.readouterr().out


def test_blocks_12_to_14_files() -> None:
    """The three files are, but for the times, the document's own text."""
    tracker = ExperimentTracker()
    run_id = tracker.create_run("ctr_model", tags={"version": "v1"}, description="Baseline model")
    tracker.log_params(
        run_id, {"learning_rate": 0.001, "batch_size": 128, "hidden_dims": [256, 128, 64], "dropout": 0.3}
    )
    for step, (loss, auc) in enumerate([(0.6234, 0.7123), (0.5987, 0.7345)]):
        tracker.log_metrics(run_id, {"train_loss": loss, "val_auc": auc}, step=step)
    tracker.finish_run(run_id)
    for number, path in ((12, "runs/run_001/params.json"), (13, "runs/run_001/metrics.json"), (14, "metadata.json")):
        assert stamped(Path("experiments", path).read_text()) == stamped(BLOCKS[number].text)


def test_blocks_15_to_17_troubleshooting(run: Run, shown: list[str], capsys: Any) -> None:
    """The three looks find a metrics file, all runs, and the names of the metrics."""
    run(15, ExperimentTracker=ExperimentTracker)
    run(16, ExperimentTracker=ExperimentTracker)
    run(17, ExperimentTracker=ExperimentTracker)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "True" and lines[2] == repr(shown)
    assert "'test_auc'" in lines[3]
