"""runfolio: a local-first experiment tracker that loses no number.

    import runfolio

    with runfolio.start(experiment="digits", params={"lr": 0.1}) as run:
        run.log({"loss": 0.3}, step=7)

Names are loaded when first used: `import runfolio` itself costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runfolio._version import __version__

if TYPE_CHECKING:
    from runfolio.errors import (
        AmbiguousRun,
        FilterError,
        InvalidValue,
        MetricNotFound,
        ParamConflict,
        RankRequired,
        RunfolioError,
        RunIsClosed,
        RunIsLive,
        RunNotFound,
        StoreNotFound,
        Unreadable,
        UsageError,
    )
    from runfolio.journal.writer import FINAL
    from runfolio.query.store import Store, open_store
    from runfolio.sdk.active import ActiveRun
    from runfolio.sdk.ambient import active_run, add_artifact, get_param, get_params, log, log_metrics, summary
    from runfolio.sdk.join import attach, resume
    from runfolio.sdk.start import start
    from runfolio.sdk.trouble import RunfolioWarning

_HOMES = {
    "start": "runfolio.sdk.start",
    **dict.fromkeys(("attach", "resume"), "runfolio.sdk.join"),
    **dict.fromkeys(
        ("active_run", "add_artifact", "get_param", "get_params", "log", "log_metrics", "summary"), "runfolio.sdk.ambient"
    ),
    **dict.fromkeys(
        (
            "AmbiguousRun", "FilterError", "InvalidValue", "MetricNotFound", "ParamConflict", "RankRequired", "RunIsClosed", "RunIsLive",
            "RunNotFound", "RunfolioError", "StoreNotFound", "Unreadable", "UsageError",
        ),
        "runfolio.errors",
    ),
    "ActiveRun": "runfolio.sdk.active",
    "FINAL": "runfolio.journal.writer",
    "RunfolioWarning": "runfolio.sdk.trouble",
    "Store": "runfolio.query.store",
    "open_store": "runfolio.query.store",
}  # fmt: skip

__all__ = [
    "FINAL", "ActiveRun", "AmbiguousRun", "FilterError", "InvalidValue", "MetricNotFound", "ParamConflict", "RankRequired", "RunIsClosed",
    "RunIsLive", "RunNotFound", "RunfolioError", "RunfolioWarning", "Store", "StoreNotFound", "Unreadable", "UsageError", "__version__", "active_run",
    "add_artifact", "attach", "get_param", "get_params", "log", "log_metrics", "open_store", "resume", "start", "summary",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'runfolio' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
