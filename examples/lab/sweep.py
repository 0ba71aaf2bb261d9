"""Sweep over learning rates, batch sizes and layers, and reload the best model from its run: `python sweep.py`."""

from __future__ import annotations

import copy
import itertools
import os

import numpy as np
from ml.models.tabular import TabularClassifier
from ml.training.train import SHORT, load_config, load_data, train_run, validate_epoch

from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker

EXPERIMENT = "ctr_model_sweep"
CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "configs", "ctr.yaml")

learning_rates = [0.001, 0.003, 0.01]
batch_sizes = [16, 32, 64]
hidden_configs = [[32, 16], [64, 32, 16], [8]]
if SHORT:
    learning_rates, batch_sizes, hidden_configs = [0.001, 0.01], [32], [[16], [8, 4]]


def main() -> None:
    tracker = ExperimentTracker()
    config = load_config(CONFIG)
    configs = list(itertools.product(learning_rates, batch_sizes, hidden_configs))
    for i, (lr, bs, hidden) in enumerate(configs, 1):
        chosen = copy.deepcopy(config)
        chosen["training"].update(learning_rate=lr, batch_size=bs)
        chosen["model"]["hidden_dims"] = hidden
        run_id = train_run(tracker, chosen, EXPERIMENT, {"sweep": "hyperparams"}, f"Sweep {i}: lr={lr}, bs={bs}")
        print(f"Experiment {i}/{len(configs)}: LR={lr}, BS={bs}, Hidden={hidden}: {run_id}")

    best = tracker.get_best_run("test_auc", experiment_name=EXPERIMENT)
    assert best is not None
    print(f"\nBest config: {best['params']}")

    model = TabularClassifier(**best["params"])
    with np.load(f"{best['run_dir']}/artifacts/model_best.npz") as state:
        model.load_state_dict(state)
    again = validate_epoch(model, load_data()[2])["auc"]
    told = best["metrics"]["test_auc"][-1]["value"]
    print(f"{best['run_id']}: test AUC {told:.4f}, of the reloaded model {again:.4f}")
    if again != told:
        raise SystemExit("the reloaded model is another one")


if __name__ == "__main__":
    main()
