"""Read a moment from text: a date, a time, or how long ago."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|second|m|min|minute|h|hour|d|day|w|week|month|y|year)s?(\s+ago)?$")
_SECONDS = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400,
    "w": 604_800, "week": 604_800, "month": 2_629_746, "y": 31_556_952, "year": 31_556_952,
}  # fmt: skip


def seconds_of(text: str, now_s: float) -> float | None:
    """Give a moment in seconds since 1970; None where the text tells none.

    Args:
        text: `2026-11-20`, `2026-11-20 14:30`, with a zone or in local time; `2 days ago`, `90 min`; `today`, `yesterday`, `now`.
    """
    told = text.strip().lower()
    now = datetime.fromtimestamp(now_s).astimezone()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if told in named:
        return named[told].timestamp()
    if ago := _AGO.match(told):
        return now_s - float(ago[1]) * _SECONDS[ago[2]]
    try:
        return datetime.fromisoformat(text.strip().upper().replace("Z", "+00:00")).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        return None
