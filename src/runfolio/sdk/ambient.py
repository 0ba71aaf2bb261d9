"""The module's own verbs: `runfolio.log(...)` and its kin write to the active run, and begin one where there is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from runfolio.journal.writer import NoStep
from runfolio.sdk import exits
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.disabled import TOLD_PARAMS
from runfolio.sdk.start import join_launched, start
from runfolio.sdk.surroundings import mode

_disabled: ActiveRun | None = None


def active_run() -> ActiveRun | None:
    """Give the run that was begun last and has not ended, or the one that RUNFOLIO_RUN_ID names; None where there is none."""
    run = exits.active() or _disabled
    if run is None and os.environ.get(TOLD_PARAMS) and mode() == "disabled":
        run = _run()
    if run is None and exits.launched_run() and mode() != "disabled":
        run = join_launched()
    return run


def log(metrics: Mapping[str, object], step: int | NoStep | None = None, **more: object) -> None:
    """Log to the active run; as `ActiveRun.log`."""
    _run().log(metrics, step, **more)


log_metrics = log


def get_param(key: str, default: Any = None) -> Any:
    """Give a param of the active run by its dotted key; `default` where it is not set, or no run is active."""
    run = active_run()
    return default if run is None else run.get_param(key, default)


def get_params() -> dict[str, Any]:
    """Give all params of the active run, nested."""
    run = active_run()
    return {} if run is None else run.get_params()


def add_artifact(source: object, name: str | None = None, *, step: int | None = None, media: str | None = None) -> None:
    """Add an artifact to the active run; as `ActiveRun.add_artifact`."""
    _run().add_artifact(source, name, step=step, media=media)


def _run() -> ActiveRun:
    global _disabled
    run = exits.active() or _disabled if mode() == "disabled" else active_run()
    if run is not None:
        return run
    if mode() == "disabled":
        _disabled = _disabled or start()
        return _disabled
    return start(experiment=os.environ.get("RUNFOLIO_EXPERIMENT") or _script())


def _script() -> str | None:
    name = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0]
    return name if name not in ("", "-c", "-m", "__main__", "ipykernel_launcher", "-") else None


class AmbientSummary(MutableMapping[str, Any]):
    """The summary of the active run."""

    def __setitem__(self, key: str, value: Any) -> None:
        _run().summary[key] = value

    def __getitem__(self, key: str) -> Any:
        return _run().summary[key]

    def __delitem__(self, key: str) -> None:
        del _run().summary[key]

    def update(self, *args: Any, **more: Any) -> None:
        """Set several items by one event."""
        _run().summary.update(*args, **more)

    def __iter__(self) -> Iterator[str]:
        return iter(_run().summary)

    def __len__(self) -> int:
        return len(_run().summary)


summary = AmbientSummary()

__all__ = ["active_run", "add_artifact", "get_param", "get_params", "log", "log_metrics", "start", "summary"]
