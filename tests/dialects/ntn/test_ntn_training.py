"""S2.21 to S2.25, S2.28, S2.29: the training side, on real data, tracked and looked at as the document does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import runfolio
from dialects.ntn.reading import EXAMPLE, logged, names, shell

MODULES = ("ntn", "models", "training")


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Import the example's modules as its scripts do."""
    pytest.importorskip("sklearn")
    monkeypatch.syspath_prepend(str(EXAMPLE))
    import training  # type: ignore[import-not-found]

    yield training
    for name in MODULES:
        sys.modules.pop(name, None)


def network(example: ModuleType, model: str = "mpo2", bond_dim: int = 3) -> Any:
    x, _, y, _ = example.data(0)
    return example.MODELS[model](x, y, bond_dim, 2, np.random.default_rng(0))


def fit(ntn: Any, **more: Any) -> tuple[list[Any], list[Any]]:
    """Fit, and return what each callback was told."""
    inits: list[Any] = []
    epochs: list[Any] = []
    ntn.fit(
        callback_init=lambda scores, info: inits.append((scores, info)),
        callback_epoch=lambda epoch, scores, info: epochs.append((epoch, scores, info)),
        **more,
    )
    return inits, epochs


def test_S2_21_training_knows_nothing_of_tracking(example: ModuleType) -> None:
    """fit() takes n_epochs and the two callbacks, and needs neither; its modules do not import runfolio."""
    ntn = network(example)
    before = ntn.evaluate()
    assert ntn.fit(n_epochs=2)["loss"] < before["loss"]
    assert all("runfolio" not in (EXAMPLE / f"{name}.py").read_text() for name in ("ntn", "models"))


@pytest.mark.parametrize("model", ["mpo2", "lmpo2"])
def test_jacobian_is_the_derivative(example: ModuleType, model: str) -> None:
    """The output is linear in each node: its derivative by a node, times the node, is the output."""
    ntn = network(example, model)
    for number, node in enumerate(ntn.nodes):
        assert np.allclose(ntn.jacobian(number) @ node.ravel(), ntn.predict(ntn.x))


def test_S2_22_callback_init(example: ModuleType) -> None:
    """callback_init is called once, after the first evaluation, with n_epochs, jitter_schedule and regularize."""
    ntn = network(example)
    scores = ntn.evaluate()
    inits, _ = fit(ntn, n_epochs=3)
    assert inits == [(scores, {"n_epochs": 3, "jitter_schedule": [0.05, 0.045, 0.0405], "regularize": True})]


def test_S2_23_callback_epoch(example: ModuleType) -> None:
    """callback_epoch is called after each epoch, counted from 0, with the document's six facts."""
    _, epochs = fit(network(example), n_epochs=4)
    assert [epoch for epoch, _, _ in epochs] == [info["epoch"] for _, _, info in epochs] == [0, 1, 2, 3]
    keys = {"epoch", "jitter", "reg_loss", "weight_norm_sq", "best_reg_loss", "is_best"}
    assert all(set(info) == keys and set(scores) == {"loss", "r2"} for _, scores, info in epochs)
    best = float("inf")
    for _, _, info in epochs:
        assert info["is_best"] == (info["reg_loss"] < best)
        best = min(best, info["reg_loss"])
        assert info["best_reg_loss"] == best


def test_S2_24_callbacks_are_synchronous(example: ModuleType) -> None:
    """What a callback does, training waits for, and what it raises ends the training."""
    seen: list[int] = []

    def stop(epoch: int, scores: Any, info: Any) -> None:
        seen.append(epoch)
        if epoch == 1:
            raise KeyError("stop")

    with pytest.raises(KeyError):
        network(example).fit(n_epochs=5, callback_epoch=stop)
    assert seen == [0, 1]


def test_S2_25_metrics_of_an_epoch(example: ModuleType) -> None:
    """Each epoch logs loss, r2, reg_loss, jitter, weight_norm_sq, and reg_loss is loss + jitter · ‖w‖²."""
    shell("bash experiments/run_mpo2.sh --seeds 0 --epochs 3")
    init, *epochs = logged("mpo2_experiment_seed0")["metrics_log"]
    assert list(init) == ["step", "loss", "r2"]
    assert [record["step"] for record in epochs] == [0, 1, 2]
    for record in epochs:
        assert list(record) == ["step", "loss", "r2", "reg_loss", "jitter", "weight_norm_sq"]
        assert record["reg_loss"] == pytest.approx(record["loss"] + record["jitter"] * record["weight_norm_sq"])
    assert [record["jitter"] for record in epochs] == [0.05, 0.045, 0.0405]


def test_jitter_schedule_must_fit_the_epochs(example: ModuleType) -> None:
    """A schedule of another length is refused with both numbers."""
    with pytest.raises(ValueError, match="2 values for 3 epochs"):
        network(example).fit(n_epochs=3, jitter_schedule=[0.1, 0.05])


@pytest.mark.parametrize("model", ["mpo2", "lmpo2"])
def test_example_learns(example: ModuleType, model: str) -> None:
    """On real data the summary's R² is a success, also on what was held out."""
    shell(f"bash experiments/run_{model}.sh")
    summaries = [logged(f"{model}_experiment_seed{seed}")["summary"] for seed in range(5)]
    assert all(summary["success"] is True and summary["r2"] > 0.2 for summary in summaries)
    assert all(summary["test_r2"] > 0 for summary in summaries)


def test_failed_seed_is_tracked_and_the_next_one_trained(example: ModuleType) -> None:
    """A seed whose training fails has its error in the summary; the other seeds are trained."""
    out = shell("bash experiments/run_mpo2.sh --seeds 0 1 --bond-dim 0")
    assert [logged(name)["summary"]["success"] for name in names()] == [False, False]
    assert all(logged(name)["summary"]["error"] in out for name in names())
    assert {run.status for run in runfolio.open_store().runs()} == {"failed"}


def test_S2_28_sweep_by_shell_loop() -> None:
    """A shell loop over BOND_DIM with a name for each value leaves a file for each value and seed, and an experiment for each value."""
    shell(
        'for bond_dim in 4 6; do EXPERIMENT_NAME="bond_sweep_${bond_dim}" BOND_DIM=$bond_dim bash experiments/run_mpo2.sh; done',
        TRACKER_BACKEND="file",
    )
    assert names() == sorted(f"bond_sweep_{bond_dim}_seed{seed}" for bond_dim in (4, 6) for seed in range(5))
    store = runfolio.open_store()
    for bond_dim in (4, 6):
        runs = store.runs(experiment=f"bond_sweep_{bond_dim}")
        assert [run.params["bond_dim"] for run in runs] == [bond_dim] * 5


def test_none_leaves_nothing() -> None:
    """With TRACKER_BACKEND=none the scripts train and leave neither files nor runs."""
    out = shell(
        "bash experiments/run_mpo2.sh --seeds 0; bash experiments/run_lmpo2.sh --seeds 0", TRACKER_BACKEND="none"
    )
    assert "mpo2_experiment_seed0: R²" in out and "lmpo2_experiment_seed0: R²" in out
    assert not Path("experiment_logs").exists()
    assert not Path("store").exists()


def test_S2_29_looked_at_by_json_tool_jq_and_pandas() -> None:
    """json.tool and jq read the files of all seeds; pandas makes a frame of the records, and NaN text does not stop it."""
    shell("bash experiments/run_mpo2.sh")
    told = shell("cat experiment_logs/mpo2_experiment_seed0.json | python -m json.tool")
    assert json.loads(told) == logged("mpo2_experiment_seed0")
    command = "jq '.summary.r2' experiment_logs/mpo2_experiment_seed*.json"
    values = subprocess.run(["sh", "-c", command], capture_output=True, text=True).stdout.split()
    assert [float(value) for value in values] == [logged(name)["summary"]["r2"] for name in names()]
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(logged("mpo2_experiment_seed0")["metrics_log"])
    assert frame["step"].tolist() == [-1, 0, 1]
    assert frame["reg_loss"].isna().tolist() == [True, False, False]
