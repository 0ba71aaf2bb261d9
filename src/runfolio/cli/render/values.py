"""Put single values into words: numbers, times, sizes, params."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def number(value: float | int | bool | None) -> str:
    """Render a metric's value: two decimals from 1 on, two to four digits below; ints and bools whole."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return _word(value)
    if value - value != 0:
        return _unbounded(value)
    if 1 <= abs(value) < 1e6:
        return f"{value:.2f}"
    text = f"{value:.4g}"
    whole, _, decimals = text.partition(".")
    return text if "e" in text else f"{whole}.{decimals:0<2}"


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


def moment(when: datetime | None) -> str:
    """Render a time by the local clock: `2025-01-15 10:30:01`."""
    return "-" if when is None else when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def utc(when: datetime | None) -> str | None:
    """Render a time as ISO 8601 in UTC, to the millisecond: `2025-01-15T10:30:01.234Z`."""
    return None if when is None else f"{when.astimezone(UTC).isoformat(timespec='milliseconds')[:23]}Z"


def parse_utc(text: str) -> datetime:
    """Read what `utc` rendered."""
    return datetime.fromisoformat(text)


def at(time_ns: int | None) -> datetime | None:
    """Give the time that so many ns since 1970 are."""
    return None if time_ns is None else _EPOCH + timedelta(microseconds=time_ns // 1000)


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
