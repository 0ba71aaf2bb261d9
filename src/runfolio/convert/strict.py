"""Write JSON that any strict parser reads, as fast as the standard library does; and take the numbers back out of it."""

from __future__ import annotations

import json
from typing import Any

from runfolio.model.strict_json import dumps_view, view

_INF = float("inf")
_NAMES = {"NaN": float("nan"), "Infinity": _INF, "-Infinity": -_INF}


def dumps(value: Any, indent: int | None = None) -> str:
    """Write a value as strict JSON; NaN and the infinities become the texts "NaN", "Infinity" and "-Infinity"."""
    try:
        text = json.dumps(value, allow_nan=False, indent=indent, ensure_ascii=False)
        text.encode()  # a lone surrogate, as file names have them, is no UTF-8
    except ValueError:
        return dumps_view(view(value)[0], indent)
    return text


def restored(value: Any) -> Any:
    """Turn the texts that stand for NaN and the infinities back into floats, at any depth."""
    if isinstance(value, str):
        return _NAMES.get(value, value)
    if isinstance(value, list):
        return [restored(item) for item in value]
    if isinstance(value, dict):
        return {key: restored(item) for key, item in value.items()}
    return value
