"""Train CartPole by one of three algorithms, or all: `python examples/vibe_rl/train.py [dqn|ppo|sac ...]`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from cartpole import worth
from dqn import DqnConfig, train_dqn
from ppo import PpoConfig, train_ppo
from sac import SacConfig, train_sac

from runfolio.dialects.vibe_rl.metrics import read_metrics, setup_logging
from runfolio.dialects.vibe_rl.run_dir import RunDir

RUNNERS: dict[str, tuple[Any, Callable[..., Any]]] = {
    "dqn": (DqnConfig, train_dqn),
    "ppo": (PpoConfig, train_ppo),
    "sac": (SacConfig, train_sac),
}


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in RUNNERS]
    if unknown:
        sys.exit(f"no algorithm {unknown[0]!r}; there are {', '.join(RUNNERS)}")
    setup_logging()
    for name in names or list(RUNNERS):
        train(name)


def train(name: str) -> None:
    """Train once, keep the policy beside the metrics, and say how well it does."""
    make, runner = RUNNERS[name]
    config = make.short() if os.environ.get("EXAMPLE_SHORT") else make()
    run = RunDir(f"{name}_cartpole")
    run.save_config(config)
    begun = time.perf_counter()
    state, metrics = runner(config=config, run_dir=run)
    network = state.q if name == "dqn" else state.actor
    np.savez(run.checkpoints / "policy.npz", *network.params)
    print(f"{run.root}: {len(read_metrics(run.log_path()))} records in {time.perf_counter() - begun:.0f} s,", end=" ")
    print(f"mean return {worth(state.act):.0f} of 500; last {', '.join(metrics)}")


if __name__ == "__main__":
    main(sys.argv[1:])
