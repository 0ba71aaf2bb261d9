"""Say that no run has a metric, with the names of those that there are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from runfolio.model.names import shown

if TYPE_CHECKING:
    from runfolio.query.run import Run

_NAMED = 5


def no_metric(metric: str, runs: Iterable[Run]) -> str:
    """Say that none of some runs has a metric: the names that are near it, else the first ones."""
    names = list(dict.fromkeys(name for run in runs for name in run.metrics))
    near = get_close_matches(metric[:200], names[:5000], 3) or names[:_NAMED]
    hint = f"; they have {', '.join(map(shown, near))}" if near else "; they have logged none yet"
    return f"none of these runs has the metric {shown(metric)}{hint}"
