"""The example of the yanex document prints what the document shows, and leaves its records."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import runfolio
from dialects.blocks import blocks_of
from dialects.yanex.reading import metrics_file, strict
from launch.launching import eventually, only_run, run

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "yanex" / "train_model.py"


def form(line: str) -> str:
    """Put one digit for each number, as what a model learns is not what the document prints."""
    return re.sub(r"\d+(\.\d+)?", lambda number: "0.0" if number[1] else "0", line)


def test_S0_24_the_example_prints_what_the_document_shows() -> None:
    """Each printed line has the form of the document's, in its order; the last one names the run by 8 characters."""
    ran = run(str(EXAMPLE), "-p", "epochs=4", env={"EXAMPLE_SHORT": "1"})
    assert (ran.code, ran.err) == (0, b"")
    shown = ran.out.decode().splitlines()
    begun, _, after = blocks_of("yanex")[3].text.partition("...\n\nTraining complete!")
    expected = [*begun.replace("10 epochs", "4 epochs").splitlines(), *("Training complete!" + after).splitlines()]
    assert [form(line) for line in shown[:-1]] == [form(line) for line in expected[:-1]]
    assert shown[:2] == expected[:2]
    assert shown[-1] == f"✓ Experiment completed successfully: {only_run()[:8]}"


def test_S0_25_the_example_has_the_documented_params() -> None:
    """epochs 10, learning_rate 0.01, batch_size 32 and val_frequency 2 by default; 11 records: 10 epochs and the summary."""
    ran = run(str(EXAMPLE), env={"EXAMPLE_SHORT": "1"})
    assert ran.out.startswith(
        b"Training model for 10 epochs (lr=0.01, batch_size=32)...\nValidation every 2 epoch(s)\n\n"
    )
    path = metrics_file(only_run())
    eventually(lambda: path.exists() and len(strict(path.read_text())) == 11, "the file has all steps")
    found: list[dict[str, Any]] = strict(path.read_text())
    assert [record["step"] for record in found if "val_loss" in record] == [2, 4, 6, 8, 10]
    assert {record.get("learning_rate") for record in found[:10]} == {0.01}
    assert found[10].keys() == {"step", "final_train_accuracy", "total_time", "timestamp"}
    assert found[9]["train_loss"] < found[0]["train_loss"]  # it learns


def test_the_example_runs_with_plain_python() -> None:
    """`python train_model.py` is a run too, finished when it ends."""
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, check=True, text=True, env=_short())
    assert done.stdout.count("Epoch ") == 10
    with runfolio.open_store() as store:
        assert store.run(only_run()).status == "finished"


def _short() -> dict[str, str]:
    return {**os.environ, "EXAMPLE_SHORT": "1"}
