"""Every code block of the cs336 document: run, checked, or listed with the reason why not."""

from __future__ import annotations

import ast
import inspect
from argparse import Namespace
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from dialects.blocks import blocks_of, mapped
from dialects.cs336.making import FOLDER, loaded, saved, strict
from runfolio.dialects.cs336.experiment_analysis import ExperimentAnalyzer
from runfolio.dialects.cs336.experiment_log import ExperimentConfig, ExperimentLog, ExperimentTracker

BLOCKS = {block.number: block for block in blocks_of("cs336")}

AS_THEY_ARE = (1, 2, 6, 15, 20, 21, 22, 23)  # after the imports of block 1
WITH_STAND_INS = (3, 4, 5, 7, 8, 9, 10, 11, 14, 16, 17, 18, 19)
SIGNATURES = (12, 13)
ILLUSTRATIONS = {24: "a tree of names: each is checked to be there, test_the_api_at_a_glance_is_there"}


class Loss:
    """A tensor of one number, as PyTorch gives it."""

    def __init__(self, value: float) -> None:
        self.value = value

    def item(self) -> float:
        return self.value


def run_blocks(*numbers: int, **names: Any) -> dict[str, Any]:
    """Run blocks in their order, in one namespace, with the document's imports."""
    space: dict[str, Any] = {"Path": Path, **names}
    for number in (1, *numbers):
        block = BLOCKS[number]
        exec(compile(mapped(block.text, "cs336"), f"cs336.md:{block.line}", "exec"), space)
    return space


def test_every_block_is_in_one_list(record_property: Callable[[str, object], None]) -> None:
    """Each block of the document is run, checked or an illustration; none is forgotten, none counted twice."""
    lists = [*AS_THEY_ARE, *WITH_STAND_INS, *SIGNATURES, *ILLUSTRATIONS]
    assert sorted(lists) == sorted(BLOCKS)
    counts = f"{len(AS_THEY_ARE)} run as they are, {len(WITH_STAND_INS)} with stand-ins"
    record_property(
        "cs336.md",
        f"{len(BLOCKS)} blocks: {counts}, {len(SIGNATURES)} signatures, {len(ILLUSTRATIONS)} illustrations",
    )


def test_S1_01_the_imports_of_the_document() -> None:
    """The document's imports work when their first word is ours."""
    space = run_blocks(15)
    assert space["ExperimentTracker"] is ExperimentTracker
    assert space["ExperimentConfig"] is ExperimentConfig
    assert space["ExperimentAnalyzer"] is ExperimentAnalyzer


def test_S1_20_the_document_from_start_to_print() -> None:
    """Setup, loop, validation, end and print run in the document's order, and the file has all of it."""
    names = {
        "iter_num": 41, "loss": Loss(2.5), "lr": 6e-4, "batch_size": 64, "context_length": 256, "iter_time": 0.125,
        "train_loss": 2.25, "val_loss": 2.75, "final_train_loss": 2.0, "final_val_loss": 2.5,
    }  # fmt: skip
    run_blocks(2, 3, 4, 5, **names)
    (path,) = FOLDER.iterdir()
    log = strict(path)
    (snapshot,) = log["metrics_history"]
    assert snapshot.pop("wallclock_time") > 0
    assert snapshot == {
        "iteration": 41, "gradient_step": 0, "train_loss": 2.5, "val_loss": 2.75, "learning_rate": 6e-4,
        "tokens_per_sec": 131072.0, "iter_time_ms": 125.0,
    }  # fmt: skip
    assert (log["final_train_loss"], log["final_val_loss"], log["notes"]) == (
        2.0,
        2.5,
        "Description of this experiment",
    )
    assert log["config"]["warmup_iters"] == 2000


def test_the_integration_snippets_make_a_training_script(capsys: Any) -> None:
    """The five snippets for training_together.py, put where the document says, track a loop with its log interval."""
    args = Namespace(wandb_run_name=None, d_model=64, num_heads=4, log_interval=10)
    space = run_blocks(16, args=args)
    for iter_num in range(40):
        space.update(iter_num=iter_num, avg_loss=3.0 - iter_num / 40, lr=1e-3, tokens_per_sec=1000.0, avg_time=0.01)
        space["losses"] = {"train": 2.0, "val": 2.5 - iter_num / 100}
        code = {number: mapped(BLOCKS[number].text, "cs336") for number in (17, 18)}
        exec(code[17], space)
        if (iter_num + 1) % 20 == 0:
            exec(code[18], space)
    exec(mapped(BLOCKS[19].text, "cs336"), space)
    (path,) = FOLDER.iterdir()
    assert path.name.startswith("experiment_default_")
    log = strict(path)
    assert [row["iteration"] for row in log["metrics_history"]] == [9, 19, 29, 39]
    assert [row["gradient_step"] for row in log["metrics_history"]] == [0, 1, 2, 3]
    assert [row["val_loss"] for row in log["metrics_history"]] == [None, 2.31, None, 2.11]
    assert (log["config"]["d_model"], log["config"]["num_heads"], log["best_val_loss"]) == (64, 4, 2.11)
    assert "Experiment: default" in capsys.readouterr().out


def test_the_tasks_of_the_document(capsys: Any) -> None:
    """Each common task runs on experiments that are there, and prints or gives what the document says."""
    saved("experiment_name", train=(3.0, 2.0), val=(2.5, 2.25))
    saved("worse", train=(3.5,), val=(3.25,))
    space = run_blocks(6, 7, 8, 9, 10, 11)
    printed = capsys.readouterr().out
    assert "experiment_name" in printed
    assert "Best: experiment_name (2.250000)" in printed
    assert Path("results.csv").read_text().count("\n") == 3
    assert space["train_losses"] == [3.0, 2.0]
    assert space["tokens_per_sec"] == [100.0, 100.0]


def test_the_analyzer_methods_of_the_document(capsys: Any) -> None:
    """The listed calls of the analyzer run as they are listed, for experiments of these names."""
    for name in ("exp1", "exp2", "exp_name"):
        saved(name, val=(1.5,))
    run_blocks(14)
    assert "Experiment: exp_name" in capsys.readouterr().out
    assert Path("file.csv").exists()


def test_the_example_configurations() -> None:
    """Baseline, larger model and both studies make configs; so do the sweep loops."""
    run_blocks(*(20, 21, 22, 23))


def test_the_config_is_as_listed() -> None:
    """The fields stand in the document's order, with its types and defaults."""
    listed = []
    for line in BLOCKS[12].text.splitlines():
        code = line.split("#")[0].strip().rstrip(",")
        if ":" in code:
            name, _, rest = code.partition(":")
            kind, _, default = rest.partition("=")
            listed.append((name.strip(), kind.strip(), ast.literal_eval(default.strip()) if default else MISSING))
    assert [(field.name, field.type, field.default) for field in fields(ExperimentConfig)] == listed


def test_the_tracker_methods_are_as_listed() -> None:
    """Every method in the list is there, with the names, order and defaults of its parameters."""
    tree = ast.parse(BLOCKS[13].text.replace(": int,", "=int,").replace(": float = ", "="))
    calls = [node.value for node in tree.body[1:] if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    listed = {call.func.attr: {word.arg: word.value for word in call.keywords} for call in calls}  # type: ignore[attr-defined]
    assert set(listed) >= {"start", "finish", "save", "log_metrics", "log_eval", "increment_gradient_step"}
    for method, words in listed.items():
        signature = inspect.signature(getattr(ExperimentTracker, method))
        if not words:
            continue
        assert list(signature.parameters)[1:] == list(words)
        for name, value in words.items():
            expected = inspect.Parameter.empty if isinstance(value, ast.Name) else ast.literal_eval(value)
            assert signature.parameters[name].default == expected


def test_the_api_at_a_glance_is_there() -> None:
    """Each name of the overview exists: methods on their class, `logs` on an analyzer."""
    owners: dict[str, Any] = {
        "ExperimentConfig": ExperimentConfig, "ExperimentTracker": ExperimentTracker, "ExperimentLog": ExperimentLog,
        "ExperimentAnalyzer": loaded(),
    }  # fmt: skip
    owner, seen = None, 0
    for line in BLOCKS[24].text.splitlines():
        words = line.replace("(", " ").replace(":", " ").split()
        if words and words[0] in owners:
            owner = owners[words[0]]
        elif len(words) > 1:
            assert hasattr(owner, words[1]), line
            seen += 1
    assert seen == 14
