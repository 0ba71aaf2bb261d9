"""Turn what a record or a configuration may hold into what JSON can: numbers where there is one, else lists, dicts and text.

Source: vibe-rl, "Metrics & Logging", JAX/numpy conversion; its program writes as text what JSON has no form for.
"""

from __future__ import annotations

from typing import Any

from runfolio.errors import InvalidValue, UsageError
from runfolio.model.leaf import branch, plain
from runfolio.model.numbers import scalar

_DEPTH_MAX = 16  # deeper than that is its repr; so is the inside of a list that holds itself


def readable(value: object, depth: int = 0) -> Any:
    """Give the number, text, list or dict that stands for a value.

    Raises:
        InvalidValue: a text of more than 1 MiB.
    """
    if value is None or isinstance(value, str):
        return plain(value, "value")
    try:
        return scalar(value, "value")
    except InvalidValue:
        pass  # no number: whatever else it may be
    try:
        return plain(value, "value")
    except UsageError:
        return _container(value, depth)


def _container(value: Any, depth: int) -> Any:
    """Go into what holds something that has no form in JSON: only that becomes text."""
    if depth >= _DEPTH_MAX:
        return str(value)
    entries = branch(value, "value")
    if entries is not None:
        return {str(key): readable(item, depth + 1) for key, item in entries}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [readable(item, depth + 1) for item in value]
    return str(value)
