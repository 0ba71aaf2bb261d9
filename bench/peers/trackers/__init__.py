"""One adapter for each tracker; `load` imports the one that a worker needs, and nothing of the others."""

from __future__ import annotations

import importlib

from bench.peers.tracker import Tracker

# name: (module, class); the first one is what the ratios are against
TRACKERS = {
    "raw-orjson-flush": ("raw", "OrjsonFlush"),
    "raw-orjson": ("raw", "OrjsonBuffered"),
    "raw-json-flush": ("raw", "JsonFlush"),
    "runfolio": ("of_runfolio", "Runfolio"),
    "runfolio-fallback": ("of_runfolio", "RunfolioFallback"),
    "mlflow-sqlite": ("of_mlflow", "MlflowSqlite"),
    "wandb-offline": ("of_wandb", "WandbOffline"),
    "aim": ("of_aim", "Aim"),
    "tensorboardX": ("of_tensorboardx", "TensorboardX"),
    "trackio": ("of_trackio", "Trackio"),
    "yanex": ("of_yanex", "Yanex"),
}


def load(name: str) -> Tracker:
    """Return the adapter of a tracker; the tracker itself is imported by the adapter's methods."""
    module, kind = TRACKERS[name]
    tracker: Tracker = getattr(importlib.import_module(f"bench.peers.trackers.{module}"), kind)()
    return tracker
