"""A run that keeps nothing: what `RUNFOLIO_MODE=disabled` gives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from runfolio.errors import Unreadable
from runfolio.journal.loss import Lost
from runfolio.model.ids import new_id
from runfolio.model.params import flatten
from runfolio.model.strict_json import loads
from runfolio.sdk.active import ActiveRun
from runfolio.store.layout import Layout

TOLD_PARAMS = "RUNFOLIO_TOLD_PARAMS"
"""Hands the params of the command line to a script that is not tracked: elsewhere they stand in its run."""


def told_params() -> dict[str, Any]:
    """Give the params that the launcher was told, by dotted keys; none without it."""
    try:
        found = loads(os.environ.get(TOLD_PARAMS) or "{}")
    except Unreadable:
        return {}
    return found if isinstance(found, dict) else {}


class _SilentWriter:
    """Takes everything and keeps nothing."""

    busy = closed = spooling = False
    lost = Lost()
    path = None

    def log(self, metrics: object = None, step: object = None, **more: object) -> None: ...

    def event(self, body: object) -> None: ...

    def sync(self) -> bool:
        return True


class _SilentPen:
    forked = False
    role = "disabled"
    attempt = 1

    def __init__(self, rank: int | None) -> None:
        self.writer = _SilentWriter()
        self.layout = Layout(os.devnull)
        self.run_id = new_id()
        self.rank = rank

    def close(self, sync: bool = True, wait_s: float = 0.0) -> bool:
        return True


class DisabledRun(ActiveRun):
    """An active run in everything but its effect."""

    def __init__(self, params: Mapping[str, Any], experiment: str | None, name: str | None, rank: int | None) -> None:
        pen: Any = _SilentPen(rank)
        super().__init__(
            pen,
            owner=False,
            params=told_params(),
            own_params=params,
            experiment=experiment,
            name=name,
            on_end=lambda _run: None,
        )

    def set_params(self, params: Mapping[str, Any] | object, replace: bool = False) -> None:
        """Show the last value, without a word on conflicts."""
        self._params.update(flatten(params))

    def add_artifact(
        self, source: object, name: str | None = None, *, step: int | None = None, media: str | None = None
    ) -> None:
        """Keep nothing."""

    def use_data(self, path: str | os.PathLike[str]) -> str:
        """Keep nothing, read nothing."""
        return ""
