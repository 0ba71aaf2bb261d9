"""Make a sink by its kind."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from runfolio.errors import MissingExtra, UsageError
from runfolio.sinks.aim import AimSink
from runfolio.sinks.mlflow import MlflowSink
from runfolio.sinks.sink import Sink
from runfolio.sinks.tensorboard import TensorBoardSink
from runfolio.sinks.wandb import WandbSink

_SINKS: dict[str, Callable[..., Sink]] = {
    "aim": AimSink,
    "mlflow": MlflowSink,
    "tensorboard": TensorBoardSink,
    "wandb": WandbSink,
}
# Any one of these packages will do.
_PACKAGES = {
    "aim": ("aim",),
    "mlflow": ("mlflow",),
    "tensorboard": ("tensorboardX", "tensorboard"),
    "wandb": ("wandb",),
}
# The option that is a place, and what it is where nobody says.
_PLACES = {"aim": ("repo", ".aim"), "tensorboard": ("log_dir", "."), "wandb": ("dir", ".")}

KINDS = tuple(_SINKS)


def check(kind: str, options: Mapping[str, Any]) -> None:
    """Refuse a kind or an option that does not exist: the caller's mistakes, told at the call.

    Raises:
        UsageError: it names the choices.
    """
    _make(kind, options)


def settled(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options with all places made absolute, the default ones too: another process does the feeding.

    Raises:
        UsageError: a kind or an option that does not exist.
    """
    check(kind, options)
    found = dict(options)
    if kind == "mlflow":
        if not (found.get("tracking_uri") or os.environ.get("MLFLOW_TRACKING_URI")):
            found["tracking_uri"] = f"sqlite:///{os.path.abspath('mlflow.db')}"
        return found
    name, default = _PLACES[kind]
    place = os.fspath(found.get(name) or default)
    found[name] = place if "://" in place else os.path.abspath(place)
    return found


def make(kind: str, options: Mapping[str, Any]) -> Sink:
    """Make the sink of this kind; nothing is opened yet, and its package is not yet imported.

    Raises:
        UsageError: there is no such kind, or it has no such option.
        MissingExtra: its package is not installed.
    """
    sink = _make(kind, options)
    install = missing(kind)
    if install:
        raise MissingExtra(f"feeding {kind} needs a package that is not installed: {install}")
    return sink


def missing(kind: str) -> str | None:
    """Return the line that installs what this kind needs, or None where it is there. Nothing is imported."""
    _check_kind(kind)
    if any(find_spec(package) for package in _PACKAGES[kind]):
        return None
    return f"pip install 'runfolio[{kind}]'"


def _make(kind: str, options: Mapping[str, Any]) -> Sink:
    _check_kind(kind)
    factory = _SINKS[kind]
    known = inspect.signature(factory).parameters
    for name in sorted(set(options) - set(known)):
        raise UsageError(f"{kind} has no option {name!r}; it has {', '.join(known)}")
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in options:
            raise UsageError(f"{kind} needs the option {name}")
    return factory(**options)


def _check_kind(kind: str) -> None:
    if kind not in _SINKS:
        raise UsageError(f"no sink is called {kind!r}; there are {', '.join(KINDS)}")
