"""Read a metrics.json of yanex: one object for each step, as its program wrote it or as a crash left it.

Source: the yanex document, "Metrics Storage". The program itself writes times in UTC without a zone, and `last_updated` on merged records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from runfolio.convert.foreign import ForeignCall, ForeignRecord
from runfolio.convert.strict import restored
from runfolio.errors import RunfolioError
from runfolio.model.leaf import plain
from runfolio.model.names import check_key
from runfolio.model.numbers import INT64_MAX, INT64_MIN, scalar

_TIMES = ("last_updated", "timestamp", "first_timestamp")  # of a record, the latest write first
_BETWEEN = re.compile(r"[\s,]*")


class Points:
    """The calls and records of a metrics file, in the order of their times."""

    def __init__(self, found: list[Any], skip: Callable[[str], None]) -> None:
        self.calls: list[ForeignCall] = []
        self.records: list[ForeignRecord] = []
        self._high = -1
        self._latest_ns: int | None = None
        self._odd: dict[str, list[int]] = {}  # what is wrong, and with which records
        for place, record in enumerate(found, 1):
            if isinstance(record, dict):
                self._take(place, record)
            else:
                self._note("is no object: left out", place)
        self.calls.sort(key=lambda call: call.time_ns or 0)
        self.records.sort(key=lambda record: record.time_ns or 0)
        for reason, places in self._odd.items():
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            skip(f"record {places[0]}{more} {reason}")

    def _take(self, place: int, record: dict[str, Any]) -> None:
        step, when_ns = self._step(place, record.get("step")), self._time(place, record)
        values, rest = _parted(record)
        if values:
            self.calls.append(ForeignCall(step, values, when_ns))
        elif not rest:
            self._note("holds no metric: left out", place)
        if rest:
            try:
                plain([rest], "record")
            except RunfolioError as refused:
                self._note(f"holds what cannot be kept: {refused}", place)
            else:
                self.records.append(ForeignRecord(step, rest, when_ns))

    def _step(self, place: int, step: Any) -> int:
        if isinstance(step, float) and step.is_integer():
            step = int(step)
        if not isinstance(step, int) or isinstance(step, bool) or not INT64_MIN <= step <= INT64_MAX:
            self._note("has no step: it stands at the highest before it + 1", place)
            step = self._high + 1
        self._high = max(self._high, step)
        return int(step)

    def _time(self, place: int, record: Mapping[str, Any]) -> int | None:
        told = next((record[key] for key in _TIMES if isinstance(record.get(key), str)), None)
        when_ns = time_ns(told)
        if when_ns is None:
            self._note("has no timestamp: it has that of the one before", place)
        else:
            self._latest_ns = when_ns
        return self._latest_ns

    def _note(self, reason: str, place: int) -> None:
        self._odd.setdefault(reason, []).append(place)


def _parted(record: Mapping[str, Any]) -> tuple[dict[str, float | int | bool], dict[str, Any]]:
    """Part the numbers of a record from what is none; a time that is a number was logged as a metric."""
    values: dict[str, float | int | bool] = {}
    rest: dict[str, Any] = {}
    for key, raw in record.items():
        if key == "step" or (key in _TIMES and isinstance(raw, str)):
            continue
        value = restored(raw)
        try:
            values[check_key(key)] = scalar(value, key)
        except RunfolioError:
            rest[key] = value
    return values, rest


def time_ns(text: Any) -> int | None:
    """Read an ISO time; one without a zone is UTC."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000


def records_in(text: str) -> tuple[list[Any], str]:
    """Read a JSON array; of one that breaks off what stands before, and what is wrong."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        whole = _whole_items(text)
        return whole, f"it breaks off: the {len(whole)} records before that are taken over"
    return (found, "") if isinstance(found, list) else ([], "it holds no list of records")


def _whole_items(text: str) -> list[Any]:
    decoder, found = json.JSONDecoder(), []
    at = text.find("[") + 1
    while at:
        begin = _BETWEEN.match(text, at)
        try:
            item, at = decoder.raw_decode(text, begin.end() if begin else at)
        except (ValueError, RecursionError):
            break
        found.append(item)
    return found
