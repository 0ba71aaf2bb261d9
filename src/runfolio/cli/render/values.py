"""Put single values into words: numbers, times, sizes, params."""

from __future__ import annotations

import itertools
import time
from typing import Any

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def number(value: float | int | bool | None) -> str:
    """Render a metric's value: two decimals from 1 on, four significant digits below; ints and bools whole."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return _word(value)
    if value - value != 0:
        return _unbounded(value)
    if 1 <= abs(value) < 1e6:
        return f"{value:.2f}"
    text = f"{value:.4g}"
    return text if "." in text or "e" in text else text + ".0"


def _unbounded(value: float) -> str:
    return "nan" if value != value else "inf" if value > 0 else "-inf"


def _word(value: object) -> str:
    return "true" if value is True else "false" if value is False else str(value)


def param(value: Any) -> str:
    """Render a param, tag or summary value as it would be typed: exact, text bare, lists and dicts as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, float):
        return repr(value) if value - value == 0 else _unbounded(value)
    if isinstance(value, int):
        return _word(value)
    from runfolio.model.strict_json import dumps_view, view

    return dumps_view(view(value)[0])


def moment(time_ns: int | None) -> str:
    """Render a time by the local clock: `2025-01-15 10:30:01`."""
    return "-" if time_ns is None else time.strftime("%Y-%m-%d %H:%M:%S", _parts(time_ns, time.localtime))


def utc(time_ns: int | None) -> str | None:
    """Render a time as ISO 8601 in UTC, to the millisecond: `2025-01-15T10:30:01.234Z`."""
    if time_ns is None:
        return None
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', _parts(time_ns, time.gmtime))}.{time_ns // 1_000_000 % 1000:03d}Z"


def _parts(time_ns: int, split: Any) -> time.struct_time:
    try:
        return split(time_ns // 1_000_000_000)  # type: ignore[no-any-return]
    except (OverflowError, OSError, ValueError):  # a damaged clock: beyond what the system can name
        return time.gmtime(0)


def span(seconds: float | None) -> str:
    """Render a duration by its two largest units: `2h 05m`, `3.2s`."""
    if seconds is None or seconds != seconds:
        return "-"
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f}s"
    whole = int(seconds)
    for (unit, size), (lower, fraction) in itertools.pairwise(_UNITS):
        if whole >= size:
            rest = whole % size // fraction
            return f"{whole // size}{unit} {rest:02d}{lower}"
    return f"{whole}s"


def age(seconds: float) -> str:
    """Render how long ago something was, by its largest unit: `5m`."""
    whole = max(int(seconds), 0)
    return next((f"{whole // size}{unit}" for unit, size in _UNITS if whole >= size), "0s")


def size(size_bytes: int | None) -> str:
    """Render a size: `512 B`, `1.5 MiB`."""
    if size_bytes is None:
        return "-"
    if size_bytes < 1024:
        return f"{size_bytes} B"
    amount = float(size_bytes)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        amount /= 1024
        if amount < 1024 or unit == "TiB":
            break
    return f"{amount:.1f} {unit}"


def count(amount: int, noun: str, plural: str | None = None) -> str:
    """Render a number of things: `1 run`, `1,234 runs`."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"
