"""Train a model with several seeds on scikit-learn's diabetes data, each seed a tracked run of its own."""

from __future__ import annotations

import argparse
import os
from typing import Any

import numpy as np
from models import MODELS
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from runfolio.dialects.ntn.trackers import BaseTracker, create_tracker

SHORT = bool(os.environ.get("EXAMPLE_SHORT"))


def main(model: str) -> None:
    """Read the settings, then train one seed after the other."""
    parser = argparse.ArgumentParser(description=f"Train {model} on the diabetes data.")
    parser.add_argument("--bond-dim", type=int, default=6)
    parser.add_argument("--length", type=int, default=2, help="tensors in the chain, the degree of the polynomial")
    parser.add_argument("--epochs", type=int, default=2 if SHORT else 10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    given = parser.parse_args()
    base = os.environ.get("EXPERIMENT_NAME") or f"{model}_experiment"
    config = {
        "model": model,
        "dataset": "diabetes",
        "L": given.length,
        "bond_dim": given.bond_dim,
        "n_epochs": given.epochs,
    }
    for seed in given.seeds:
        summary = tracked(create_tracker(f"{base}_seed{seed}", config), config, seed)
        told = (
            f"R² {summary['r2']:.3f}, on the test set {summary['test_r2']:.3f}" if "r2" in summary else summary["error"]
        )
        print(f"{base}_seed{seed}: {told}", flush=True)


def tracked(tracker: BaseTracker, config: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train one seed; what fails is tracked too, and the next seed has its turn."""
    tracker.log_hparams({"seed": seed, "test_size": 0.25, "regularize": True})
    try:
        summary = train(tracker, config, seed)
    except (ArithmeticError, np.linalg.LinAlgError, ValueError) as error:
        summary = {"seed": seed, "success": False, "error": str(error)}
    tracker.log_summary(summary)
    tracker.finalize()
    return summary


def train(tracker: BaseTracker, config: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train one seed, logging from the callbacks; return the summary."""
    x, x_test, y, y_test = data(seed)
    ntn = MODELS[config["model"]](x, y, config["bond_dim"], config["L"], np.random.default_rng(seed))

    def callback_init(scores: dict[str, float], info: dict[str, Any]) -> None:
        tracker.log_hparams({"jitter_schedule": info["jitter_schedule"]})
        tracker.log_metrics(scores, -1)

    def callback_epoch(epoch: int, scores: dict[str, float], info: dict[str, Any]) -> None:
        more = {name: info[name] for name in ("reg_loss", "jitter", "weight_norm_sq")}
        tracker.log_metrics({**scores, **more}, epoch)

    scores = ntn.fit(config["n_epochs"], callback_init=callback_init, callback_epoch=callback_epoch)
    test = ntn.evaluate(x_test, y_test)
    held_out = {"test_loss": test["loss"], "test_r2": test["r2"]}
    return {"seed": seed, **scores, "success": scores["r2"] > 0, **held_out}


def data(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split the data by the seed and scale it by its training part, to half a standard deviation; a column of ones is added."""
    x, y = load_diabetes(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.25, random_state=seed)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    x, x_test = (np.hstack([np.ones((len(part), 1)), (part - centre) / (2 * spread)]) for part in (x, x_test))
    return x, x_test, (y - y.mean()) / y.std(), (y_test - y.mean()) / y.std()
