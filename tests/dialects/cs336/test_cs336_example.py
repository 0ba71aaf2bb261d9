"""The example of the cs336 document: it learns, its model is right, and its sweep is compared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import runfolio
from dialects.cs336.making import FOLDER, loaded, strict

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "cs336"

GRADIENTS = """
import numpy as np
from transformer import TransformerLM

model = TransformerLM(11, 6, 8, 2, 2, 12, 10000.0, seed=0, dtype="float64")
rng = np.random.default_rng(0)
tokens, targets = rng.integers(0, 11, (2, 3, 6))
grads = dict(model.loss_and_grads(tokens, targets)[1])
assert grads.keys() == model.params.keys()
for name, value in model.params.items():
    assert grads[name].shape == value.shape, name
    for place in rng.integers(0, value.size, 4):
        flat, kept = value.reshape(-1), value.reshape(-1)[place]
        ends = []
        for move in (1e-5, -1e-5):
            flat[place] = kept + move
            ends.append(model.loss(tokens, targets))
        flat[place] = kept
        slope = (ends[0] - ends[1]) / 2e-5
        assert abs(grads[name].reshape(-1)[place] - slope) < 1e-7 + 1e-5 * abs(slope), (name, slope)
scores = model.logits(tokens)[0]
later = tokens.copy()
later[:, -1] = (later[:, -1] + 1) % 11
assert np.array_equal(model.logits(later)[0][:, :-1], scores[:, :-1])
print("right")
"""


def example(*words: str) -> str:
    """Run a script of the example in its short form; return what it prints."""
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "EXAMPLE_SHORT": "1", "PYTHONPATH": os.pathsep.join([str(EXAMPLE), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_the_gradients_are_right() -> None:
    """The way back agrees with small differences of the loss, for each weight; and no token sees those after it."""
    assert example("-c", GRADIENTS) == "right\n"


def test_the_training_learns_and_is_tracked() -> None:
    """The short training ends below the loss of guessing, and its file tells the loop: log interval, evaluations, steps."""
    printed = example(str(EXAMPLE / "training_together.py"), "--max_iters", "60", "--sample", "20")
    assert "Experiment: default" in printed
    (path,) = FOLDER.iterdir()
    log = strict(path)
    rows = log["metrics_history"]
    assert [row["iteration"] for row in rows] == list(range(4, 60, 5))
    assert [row["gradient_step"] for row in rows] == list(range(5, 61, 5))
    assert [row["iteration"] for row in rows if row["val_loss"] is not None] == [9, 19, 29, 39, 49, 59]
    assert log["final_val_loss"] < rows[0]["train_loss"] - 0.5
    assert all(row["tokens_per_sec"] > 0 and row["iter_time_ms"] > 0 for row in rows)
    with runfolio.open_store() as store:
        assert store.run("default").status == "finished"


def test_the_sweep_is_compared() -> None:
    """The sweep makes an experiment for each rate and batch size, and prints their table, the best one and its curve."""
    printed = example(str(EXAMPLE / "sweep.py"), "--log_dir", "logs")
    names = {"lr_1e-03", "lr_3e-03", "lr_1e-02", "lr_3e-02", "batch_4", "batch_8", "batch_16"}
    with runfolio.open_store() as store:
        assert {run.name for run in store.runs()} == names
    table = printed[printed.index("Name ") :]
    assert names == {line.split()[0] for line in table.splitlines()[2:9]}
    best = table.splitlines()[9]
    assert best.startswith("Best: ") and best.split()[1] in names
    assert Path("logs/results.csv").read_text().startswith("iteration,")
    assert loaded().logs == {}  # nothing lies in the default folder
