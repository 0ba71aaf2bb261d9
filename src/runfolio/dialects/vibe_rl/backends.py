"""Other trackers that a record goes to as well.

W&B and TensorBoard are fed by the process beside the script: nothing they do is felt in the loop. Any other object with `log` and `close` runs in the
script, on a thread of its own.
Source: vibe-rl, "Metrics & Logging", Backends, Resuming a WandB run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from runfolio.convert.vibe_rl_folder import WANDB_ID
from runfolio.dialects.vibe_rl.records import write_record
from runfolio.dialects.vibe_rl.values import readable
from runfolio.errors import MissingExtra, UsageError
from runfolio.model.ids import new_id
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.following import feed_sink
from runfolio.sdk.start import start

_SECRET = ("api_key", "apikey", "password", "secret", "token")


@runtime_checkable
class LogBackend(Protocol):
    """Whatever takes records.

    Contract: with a MetricsLogger both methods are called by one thread, which is not the caller's. What raises is warned of once and counted.
    """

    def log(self, record: dict[str, Any], step: int | None = None) -> None:
        """Take a record; `step` is the one that stands in it."""

    def close(self) -> None:
        """End, after the last record."""


class FedBackend:
    """A tracker that the companion process feeds from the run. A MetricsLogger attaches it to its run; used alone, it begins one."""

    kind = ""

    def __init__(self, experiment: str, options: dict[str, Any]) -> None:
        self._experiment, self._options = experiment, options
        self._run: ActiveRun | None = None
        self._own = False

    def attach(self, run: ActiveRun) -> None:
        """Have what is logged to the run sent there too."""
        feed_sink(run, self.kind, **self._options)
        self._run = run

    def log(self, record: Mapping[str, Any], step: int | None = None) -> None:
        """Log a record to the run that this feeds."""
        if self._run is None:
            self.attach(start(experiment=self._experiment))
            self._own = True
        assert self._run is not None
        at = {} if step is None else {"step": step}
        write_record(self._run, {**at, **record})

    def close(self) -> None:
        """End the run, where this began it."""
        if self._own and self._run is not None:
            self._run.finish()


class WandbBackend(FedBackend):
    """Send records to Weights & Biases.

    Args:
        run_dir: where `wandb_id.txt` keeps the id of the W&B run. Where there is one, that run must go on.
        init_kwargs: for `wandb.init`. No secrets: they would be kept in the run; set WANDB_API_KEY.

    Raises:
        ImportError: wandb is not installed.
        UsageError: an argument for `wandb.init` that is a secret, or no plain value.
    """

    kind = "wandb"

    def __init__(
        self,
        project: str = "vibe_rl",
        entity: str | None = None,
        config: Mapping[str, Any] | None = None,
        run_dir: str | os.PathLike[str] | None = None,
        **init_kwargs: Any,
    ) -> None:
        _need(self.kind, "WandbBackend")
        _check_init(init_kwargs)
        folder = init_kwargs.pop("dir", None) or os.environ.get("WANDB_DIR") or os.getcwd()
        self.run_id, resume = _id_of(run_dir, init_kwargs.pop("id", None), init_kwargs.pop("resume", None))
        options = {
            "project": project,
            "entity": entity,
            "config": None if config is None else readable(config),
            "id": self.run_id,
            "resume": resume,
            "dir": os.path.abspath(folder),
            "init": init_kwargs,
        }
        super().__init__(project, options)


class TensorBoardBackend(FedBackend):
    """Write the numbers of records as TensorBoard scalars.

    Raises:
        ImportError: nothing that writes TensorBoard's files is installed.
    """

    kind = "tensorboard"

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        _need(self.kind, "TensorBoardBackend")
        super().__init__("tensorboard", {"log_dir": os.path.abspath(log_dir)})


def resume_wandb(run_dir: str | os.PathLike[str], project: str = "vibe_rl", **kwargs: Any) -> WandbBackend:
    """Go on with the W&B run whose id lies in the folder; a fresh one where there is none.

    Args:
        kwargs: as WandbBackend takes them.
    """
    return WandbBackend(project, run_dir=run_dir, **kwargs)


def _need(kind: str, asked: str) -> None:
    from runfolio.sinks.make import missing  # here: only who feeds another tracker loads the sinks

    install = missing(kind)
    if install:
        raise MissingExtra(f"{asked} needs a package that is not installed: {install}")


def _id_of(run_dir: str | os.PathLike[str] | None, asked: str | None, resume: Any) -> tuple[str, Any]:
    """Choose the id of the W&B run, keep it in the folder, and say how to resume: an id given here, the kept one, a fresh one."""
    path = None if run_dir is None else Path(run_dir) / WANDB_ID
    kept = path.read_text(encoding="utf-8").strip() if path is not None and path.exists() else ""
    run_id = asked or kept or new_id()[:8]
    if path is not None and run_id != kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(run_id, encoding="utf-8")
    return run_id, resume if resume is not None else "must" if run_id == kept else "allow"


def _check_init(options: Mapping[str, Any]) -> None:
    """Refuse what must not or cannot be told to another process."""
    for name, value in options.items():
        if any(word in name.lower() for word in _SECRET):
            raise UsageError(f"{name} would be kept in the run; set WANDB_API_KEY in the environment")
        if not _is_plain(value):
            raise UsageError(f"{name} for wandb.init is a {type(value).__name__}; give text, numbers, lists or dicts")


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))
