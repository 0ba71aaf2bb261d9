"""Train a small network on scikit-learn's handwritten digits, as one tracked run.

runfolio run examples/digits/train.py -p hidden=64 -p seed=1
python examples/digits/train.py                            # the same, without the launcher
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import runfolio

DEFAULTS = {"hidden": 32, "lr": 0.01, "batch": 64, "epochs": 15, "seed": 0}


def train(run: runfolio.ActiveRun, params: dict[str, float]) -> float:
    """Train by epochs, logging to `run`; return the accuracy on the test set."""
    digits = load_digits()
    images, labels = digits.data / 16.0, digits.target
    seed = int(params["seed"])
    x_train, x_test, y_train, y_test = train_test_split(images, labels, test_size=0.3, random_state=0, stratify=labels)
    model = MLPClassifier(
        (int(params["hidden"]),), learning_rate_init=params["lr"], batch_size=int(params["batch"]), random_state=seed
    )
    run.total_steps = int(params["epochs"])
    run.define("val_acc", goal="max")
    for epoch in range(1, int(params["epochs"]) + 1):
        model.partial_fit(x_train, y_train, classes=np.arange(10))
        run.log({"train_loss": model.loss_, "train_acc": model.score(x_train, y_train)}, step=epoch)
        if epoch % 3 == 0:
            guess = model.predict_proba(x_test)
            run.log({"val_loss": log_loss(y_test, guess), "val_acc": model.score(x_test, y_test)}, step=epoch)
    accuracy = model.score(x_test, y_test)
    run.summary["test_acc"] = accuracy
    run.add_artifact(np.concatenate([w.ravel() for w in model.coefs_]).astype("<f4").tobytes(), "weights.f32")
    return float(accuracy)


def main() -> None:
    warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")
    params = {key: runfolio.get_param(key, default) for key, default in DEFAULTS.items()}
    with runfolio.start(experiment="digits", name=f"mlp-{params['hidden']}", params=params) as run:
        print(f"test accuracy {train(run, params):.4f}")


if __name__ == "__main__":
    main()
