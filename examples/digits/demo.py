"""Train three settings with three seeds each on real data, then look at them: what `make demo` runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from train import DEFAULTS, train

import runfolio

SETTINGS = ({"hidden": 8, "lr": 0.01}, {"hidden": 32, "lr": 0.01}, {"hidden": 32, "lr": 0.0005})
SEEDS = (0, 1, 2)


def main() -> None:
    os.environ.setdefault("RUNFOLIO_DIR", ".runfolio")  # here, so that the commands below find it
    begun = time.perf_counter()
    ids = [one_run({**DEFAULTS, **setting, "seed": seed}) for setting in SETTINGS for seed in SEEDS]
    print(f"\n{len(ids)} runs in {time.perf_counter() - begun:.1f} s.\n")
    show("list", "--experiment", "digits", "--limit", str(len(ids)))
    show("compare", *ids)
    command = os.path.join(os.path.dirname(sys.executable), "runfolio")
    command = os.path.relpath(command) if os.path.exists(command) else f"{sys.executable} -m runfolio"
    print(
        f"Look further:\n  {command} ui          # the runs and their curves in your browser; `make ui` builds it once"
    )
    print(f"  {command} show {ids[-1][:8]}\n  {command} get {ids[-1][:8]} metrics.val_acc.last")
    print(f"  {command} run examples/digits/train.py -p hidden=64 -p seed=7\n  {command} --help")


def one_run(params: dict[str, float]) -> str:
    name = f"mlp-{params['hidden']}-lr{params['lr']:g}-s{params['seed']}"
    with runfolio.start(experiment="digits", name=name, params=params, tags=["demo"]) as run:
        accuracy = train(run, params)
    print(f"{run.id[:8]}  {name:<22} test accuracy {accuracy:.4f}", flush=True)
    return run.id


def show(*arguments: str) -> None:
    print(f"$ runfolio {' '.join(a[:8] if len(a) == 32 else a for a in arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", "runfolio", *arguments], check=True)
    print(flush=True)


if __name__ == "__main__":
    main()
