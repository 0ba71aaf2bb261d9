"""The yanex call form: `from runfolio.dialects import yanex`, then `yanex.log_metrics(...)` as ever.

The script needs no handle: `runfolio run train.py -p epochs=20` starts the run, or, with plain `python train.py`, the first `log_metrics` does.
The documented `~/.yanex/experiments/<id>/metrics.json` is kept as a view of the run; `<id>` is the first 8 digits of its id.

Source: the yanex document "09: Multi-Step Metrics Logging" (tests/dialects/documents/yanex.md).
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from runfolio.model.ids import short
from runfolio.sdk import ambient
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.ambient import active_run, get_param, get_params
from runfolio.sdk.following import keep_view

__all__ = ["get_param", "get_params", "log_metrics"]

_viewed: ActiveRun | None = None


def log_metrics(metrics: Mapping[str, object], step: int | None = None) -> None:
    """Keep the metrics of one step. Several calls at a step make one record; the last value of a key wins.

    Args:
        metrics: names to numbers.
        step: an integer; None: the highest step so far + 1, from 0.

    Raises:
        InvalidValue: a value that is no number. UsageError: `step` among the metrics. Nothing of the call is kept then.
    """
    run = active_run()
    if run is not None and run is _viewed:
        run.log(metrics, step)
    else:
        ambient.log(metrics, step)  # begins a run where there is none
        _keep_file(active_run())


def metrics_path(run: ActiveRun) -> str:
    """Give the path of a run's metrics.json, below the home folder as it is now."""
    return os.path.join(os.path.expanduser("~"), ".yanex", "experiments", short(run.id), "metrics.json")


def _keep_file(run: ActiveRun | None) -> None:
    global _viewed
    if run is not None:
        keep_view(run, "yanex", metrics_path(run))
        _viewed = run
