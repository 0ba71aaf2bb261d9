"""Make a sink by its kind."""

from __future__ import annotations

import inspect
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

KINDS = tuple(_SINKS)


def check(kind: str, options: Mapping[str, Any]) -> None:
    """Refuse a kind or an option that does not exist: the caller's mistakes, told at the call.

    Raises:
        UsageError: it names the choices.
    """
    _make(kind, options)


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
