"""Train the classifier by a config, as one tracked run: `python -m ml.training.train --config configs/ctr.yaml`."""

from __future__ import annotations

import argparse
import os
from typing import Any

import numpy as np
import yaml
from ml.models.tabular import Array, TabularClassifier, auc, log_loss
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker

Split = tuple[Array, Array]
SHORT = bool(os.environ.get("EXAMPLE_SHORT"))


def load_config(config_path: str) -> dict[str, Any]:
    """Read a config; the short form has few epochs."""
    with open(config_path, encoding="utf-8") as file:
        config: dict[str, Any] = yaml.safe_load(file)
    if SHORT:
        config["training"]["epochs"] = 3
    return config


def load_data() -> tuple[Split, Split, Split]:
    """Give real tabular data for training, validation and test; its binary target stands in for the click."""
    features, clicks = load_breast_cancer(return_X_y=True)
    x_rest, x_test, y_rest, y_test = train_test_split(features, clicks, test_size=0.3, random_state=0, stratify=clicks)
    x_train, x_val, y_train, y_val = train_test_split(x_rest, y_rest, test_size=0.3, random_state=0, stratify=y_rest)
    mean, spread = x_train.mean(0), x_train.std(0)
    train, val, test = (((x - mean) / spread, y.astype(float)) for x, y in
                        ((x_train, y_train), (x_val, y_val), (x_test, y_test)))  # fmt: skip
    return train, val, test


def train_epoch(model: TabularClassifier, data: Split, training: dict[str, Any], order: Any) -> dict[str, float]:
    """Go over the data once."""
    features, clicks = data
    losses = []
    for at in np.array_split(order.permutation(len(clicks)), max(1, len(clicks) // training["batch_size"])):
        step = model.fit_batch(features[at], clicks[at], training["learning_rate"], training.get("weight_decay", 0.0))
        losses.append(step)
    return {"loss": float(np.mean(losses)), "accuracy": validate_epoch(model, data)["accuracy"]}


def validate_epoch(model: TabularClassifier, data: Split) -> dict[str, float]:
    """Measure the model."""
    features, clicks = data
    chances = model.predict(features)
    accuracy = float(np.mean((chances > 0.5) == (clicks == 1)))
    return {"loss": log_loss(clicks, chances), "accuracy": accuracy, "auc": auc(clicks, chances)}


def train_run(
    tracker: ExperimentTracker, config: dict[str, Any], experiment_name: str, tags: dict[str, str], description: str
) -> str:
    """Train by a config, as one run; return its id."""
    run_id = tracker.create_run(experiment_name=experiment_name, tags=tags, description=description)
    train, val, test = load_data()
    training = config["training"]
    params = {
        "learning_rate": training["learning_rate"],
        "batch_size": training["batch_size"],
        "hidden_dims": config["model"]["hidden_dims"],
        "dropout": config["model"]["dropout"],
        "model_type": config["model"]["type"],
        "n_features": train[0].shape[1],
        "weight_decay": training.get("weight_decay", 0.0),
        "epochs": training["epochs"],
        "early_stopping_patience": training["early_stopping_patience"],
        "seed": training["seed"],
    }
    tracker.log_params(run_id, params)

    model = TabularClassifier(**params)
    best, patience, best_state = -1.0, 0, model.state_dict()
    order = np.random.default_rng(training["seed"])
    for epoch in range(1, training["epochs"] + 1):
        train_metrics = train_epoch(model, train, training, order)
        val_metrics = validate_epoch(model, val)
        tracker.log_metrics(run_id, {
            "train_loss": train_metrics["loss"],
            "train_acc": train_metrics["accuracy"],
            "val_loss": val_metrics["loss"],
            "val_acc": val_metrics["accuracy"],
            "val_auc": val_metrics["auc"],
        }, step=epoch)  # fmt: skip
        patience += 1
        if val_metrics["auc"] > best:
            best, patience, best_state = val_metrics["auc"], 0, model.state_dict()
        if patience >= training["early_stopping_patience"]:
            break

    model.load_state_dict(best_state)
    test_metrics = validate_epoch(model, test)
    tracker.log_metrics(run_id, {
        "test_accuracy": test_metrics["accuracy"],
        "test_auc": test_metrics["auc"],
        "test_loss": test_metrics["loss"],
    })  # fmt: skip
    np.savez("model_best.npz", **model.state_dict())
    tracker.log_artifact(run_id, "model_best.npz")
    os.unlink("model_best.npz")  # the run has it
    tracker.finish_run(run_id, status="completed")
    return run_id


def main(config_path: str, experiment_name: str = "ctr_model") -> str:
    """Train by the config in a file."""
    tracker = ExperimentTracker()
    config = load_config(config_path)
    name = os.path.basename(config_path)
    run_id = train_run(tracker, config, experiment_name, {"config": name}, f"Training run with config {name}")
    print(f"\n✅ Experiment tracked: {run_id}")
    return run_id


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="configs/ctr.yaml")
    parser.add_argument("--experiment", default="ctr_model")
    asked = parser.parse_args()
    main(asked.config, asked.experiment)
