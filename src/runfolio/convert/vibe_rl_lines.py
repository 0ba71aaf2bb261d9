"""A line of a vibe-rl metrics file: a JSON object with a step, numbers, and whatever else.

Source: vibe-rl, "Metrics & Logging", MetricsLogger and Reading metrics back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runfolio.convert.strict import restored
from runfolio.errors import InvalidValue
from runfolio.model.names import check_key
from runfolio.model.numbers import INT64_MAX, INT64_MIN, scalar
from runfolio.model.strict_json import view

# One encoder for all lines: `json.dumps` with arguments of its own would make one for each.
_encoded = json.JSONEncoder(allow_nan=False).encode


def line_of(record: Mapping[str, Any]) -> str:
    """Write a record as one line of strict JSON, without its end."""
    try:
        return _encoded(record)
    except ValueError:
        return _encoded(view(record)[0])  # NaN or an infinity is in it


def record_of(line: str | bytes) -> dict[str, Any] | None:
    """Read a line; None where it is no JSON object, as one that a crash has torn. NaN and the infinities are floats again."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return restored(found) if isinstance(found, dict) else None


def numbers_of(record: Mapping[str, Any]) -> dict[str, float | int | bool]:
    """Pick the fields that a metric can carry."""
    return {key: value for key, value in record.items() if key != "step" and _is_metric(key, value)}


def step_of(record: Mapping[str, Any]) -> int | None:
    """Give the step; None where there is none, or one that is no whole number."""
    step = record.get("step")
    if isinstance(step, bool) or not isinstance(step, (int, float)) or not INT64_MIN <= step <= INT64_MAX:
        return None
    return int(step) if step == int(step) else None


def _is_metric(key: str, value: object) -> bool:
    try:
        return isinstance(value, (bool, int, float)) and scalar(value, check_key(key)) is not None
    except InvalidValue:
        return False
