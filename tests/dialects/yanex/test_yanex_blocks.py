"""Every code block of the yanex document: run, checked, or listed with the reason why not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import runfolio
from dialects.blocks import Block, blocks_of, mapped
from dialects.yanex.reading import needs_jq, records, rows
from runfolio.dialects import yanex

BLOCKS = {block.number: block for block in blocks_of("yanex")}
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "yanex" / "train_model.py"

Rows = list[tuple[int, dict[str, Any]]]


def each(steps: Any, **metrics: Any) -> Rows:
    return [(step, dict(metrics)) for step in steps]


def merged(*parts: Rows) -> Rows:
    """Put the rows of several loops together, as one record a step."""
    found: dict[int, dict[str, Any]] = {}
    for part in parts:
        for step, metrics in part:
            found.setdefault(step, {}).update(metrics)
    return sorted(found.items())


# Python that runs as it stands: what its file then says.
AS_IT_IS: dict[int, Rows] = {
    6: [(0, {"loss": 1.5}), (1, {"loss": 1.2}), (2, {"loss": 0.9})],
    27: [(0, {"loss": 1.0}), (1, {"loss": 0.9})],
    29: [(5, {"loss": 0.9, "train_loss": 1.0, "val_loss": 0.9})],
}

# Python with names that the document leaves open: the stand-ins, and what the file then says.
WITH_STAND_INS: dict[int, tuple[dict[str, Any], Rows]] = {
    5: ({"metrics": {"loss": 0.5}, "epoch": 3}, each([3], loss=0.5)),
    7: ({"epochs": 3, "train": lambda: 0.5}, each([1, 2, 3], train_loss=0.5)),
    8: (
        {"max_steps": 21, "loss": 0.5, "validate": lambda: 0.9},
        merged(each(range(21), train_loss=0.5), each([0, 10, 20], val_accuracy=0.9)),
    ),
    9: (
        {
            "epochs": 4,
            "val_frequency": 2,
            "train_loss": 0.5,
            "train_accuracy": 0.8,
            "val_loss": 0.6,
            "val_accuracy": 0.7,
        },
        merged(
            each([1, 2, 3, 4], train_loss=0.5, train_accuracy=0.8),
            each([2, 4], val_loss=0.6, val_accuracy=0.7),
        ),
    ),
    11: ({"loss": 0.5, "epoch": 3}, each([3], train_loss=0.5)),
    17: ({"num_epochs": 3, "train_one_epoch": lambda: 0.5}, each([1, 2, 3], train_loss=0.5)),
    18: (
        {"max_iterations": 201, "loss": 0.5, "validate": lambda: 0.6},
        merged(each(range(201), train_loss=0.5), each([0, 100, 200], val_loss=0.6)),
    ),
    19: (
        {
            "simulation_time": 1.5,
            "dt": 0.5,
            "state": None,
            "simulate_step": lambda state, dt: state,
            "compute_energy": lambda state: 2.0,
        },
        [(0, {"time": 0.5, "energy": 2.0}), (1, {"time": 1.0, "energy": 2.0}), (2, {"time": 1.5, "energy": 2.0})],
    ),
    20: (
        {"evaluate_model": lambda checkpoint: {"accuracy": checkpoint / 200}},
        [(step, {"accuracy": step / 200}) for step in (10, 20, 50, 100, 200)],
    ),
    21: (
        {"epochs": 3, "loss": 0.5, "final_acc": 0.9, "total_time": 12.5},
        [*each([0, 1, 2], loss=0.5), (3, {"final_accuracy": 0.9, "total_time": 12.5})],
    ),
    22: ({"epochs": 1, "loss": 0.5}, [(0, {"loss": 1.5}), (1, {"loss": 1.2})]),
    23: ({"loss": 0.5, "epoch": 4}, each([4, 5], loss=0.5)),
    24: ({"loss": 0.5}, each(range(10_000), loss=0.5)),
    25: (
        {"loss": 0.5, "validate": lambda: 0.9},
        merged(each(range(1000), train_loss=0.5), each(range(0, 1000, 50), val_accuracy=0.9)),
    ),
    26: ({"loss": 0.5, "epoch": 2}, each([2], loss=0.5)),
    28: ({"step": 20, "{...}": "{'loss': 0.5}"}, each([20], loss=0.5)),
}

PATTERNS = range(17, 23)  # of those with stand-ins: the document's common patterns

# Shell: with `train_model.py` of our examples; and with the id of a run for the document's <experiment_id>.
SHELL = {1: 1, 2: 3, 3: 3}  # how many runs each makes
SHELL_WITH_ID = (14, 16)

REFUSED = {10: "the document's own example of a wrong call: `step` among the metrics raises UsageError"}

ILLUSTRATIONS = {
    4: "printed output: compared line by line with what the example prints (test_yanex_example.py)",
    12: "a path: test_S0_15_the_documented_place",
    13: "the file's content: test_S0_16_the_documented_records",
    15: "a printed table: tests/cli/test_show.py, S0.27 to S0.32",
}


def run_block(block: Block, stand_ins: dict[str, Any]) -> None:
    """Run a block's Python; a stand-in that is no name is text to be replaced."""
    text = mapped(block.text, "yanex")
    names = {key: value for key, value in stand_ins.items() if key.isidentifier()}
    for old in stand_ins.keys() - names.keys():
        assert old in text
        text = text.replace(old, stand_ins[old])
    exec(compile(text, f"yanex.md:{block.line}", "exec"), {"yanex": yanex, **names})


def sh(command: str, **environment: str) -> str:
    """Run a command in the shell, where `runfolio` is ours; return what it prints."""
    tools = Path("tools")
    tools.mkdir(exist_ok=True)
    shim = tools / "runfolio"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runfolio "$@"\n')
    shim.chmod(0o755)
    path = f"{tools.resolve()}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", command],
        env={**os.environ, "PATH": path, "EXAMPLE_SHORT": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_every_block_is_in_one_list(record_property: Callable[[str, object], None]) -> None:
    """Each block of the document is run, refused as it should be, or an illustration; none is forgotten, none counted twice."""
    run, with_names = [*AS_IT_IS], [*WITH_STAND_INS, *SHELL, *SHELL_WITH_ID, *REFUSED]
    assert sorted([*run, *with_names, *ILLUSTRATIONS]) == sorted(BLOCKS)
    counts = f"{len(run)} run as they are, {len(with_names)} with stand-ins, 0 signatures, {len(ILLUSTRATIONS)} illustrations"
    record_property("yanex.md", f"{len(BLOCKS)} blocks: {counts}")


@pytest.mark.parametrize("number", AS_IT_IS)
def test_blocks_that_run_as_they_are(number: int) -> None:
    """A block of the document runs, and the file says what it should."""
    run_block(BLOCKS[number], {})
    assert rows() == AS_IT_IS[number]


@pytest.mark.parametrize("number", PATTERNS)
def test_S0_35_the_documented_patterns(number: int) -> None:
    """Epochs, sparse validation, time, checkpoints, a summary without a step, mixed steps: each gives the file it should."""
    stand_ins, expected = WITH_STAND_INS[number]
    run_block(BLOCKS[number], stand_ins)
    assert rows() == expected


@pytest.mark.parametrize("number", sorted(WITH_STAND_INS.keys() - set(PATTERNS)))
def test_blocks_with_stand_ins(number: int) -> None:
    """A block runs with the names that it leaves open, and the file says what it should."""
    stand_ins, expected = WITH_STAND_INS[number]
    run_block(BLOCKS[number], stand_ins)
    assert rows() == expected


def test_the_wrong_call_is_refused() -> None:
    """The block that the document calls wrong raises, and keeps nothing."""
    with pytest.raises(runfolio.UsageError, match="step="):
        run_block(BLOCKS[10], {"epoch": 1, "loss": 0.5})
    yanex.log_metrics({"loss": 0.5})
    assert rows() == [(0, {"loss": 0.5})]


@pytest.mark.parametrize("number", SHELL)
def test_shell_blocks(number: int) -> None:
    """The document's commands run with our example script, and each makes its runs, each with its file."""
    Path("train_model.py").write_bytes(EXAMPLE.read_bytes())
    printed = sh(mapped(BLOCKS[number].text, "yanex"))
    assert printed.count("✓ Experiment completed successfully: ") == SHELL[number]
    assert len(list((Path.home() / ".yanex" / "experiments").glob("*/metrics.json"))) == SHELL[number]
    if number == 3:
        # As rows or as columns: how wide the table is depends on the times taken.
        compared = printed.rpartition("✓ Experiment completed")[2]
        assert "status" in compared and all(name in compared for name in ("lr-0.001", "lr-0.01", "lr-0.1"))


@pytest.mark.parametrize("number", [14, pytest.param(16, marks=needs_jq)])
def test_shell_blocks_with_an_id(number: int) -> None:
    """The commands that look at a run show it whole: `show`, `python3 -m json.tool` and `jq` on the file."""
    for step in range(1, 12):
        yanex.log_metrics({"train_loss": 1 / step}, step=step)
        if step % 2 == 0:
            yanex.log_metrics({"val_loss": 2 / step}, step=step)
    assert len(records()) == 11
    run = runfolio.active_run()
    assert run is not None
    run.finish()
    text = BLOCKS[number].text.replace("<experiment_id>", run.id[:8]).replace("<id>", run.id[:8])
    printed = sh(mapped(text, "yanex"))
    if number == 14:
        assert "Results (showing last 10 of 11)" in printed
    else:
        assert printed.startswith('[\n    {\n        "step": 1,')
        assert printed.endswith('{\n  "step": 11,\n  "train_loss": 0.09090909090909091,\n  "val_loss": null\n}\n')
