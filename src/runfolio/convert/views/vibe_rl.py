"""Render a run as a vibe-rl metrics file: one JSON object per line and call, in the order of writing.

A call of `log` is a line: its step first, then its fields. A record event `{"line": …}` is a line as it stands, for what holds more than numbers;
the metrics of the names in its `beside` were logged only for charts, and make no line of their own. `raw` is the text of a line that another
program wrote: it stays as it is, so that our lines can be appended to its file.
Source: vibe-rl, "Metrics & Logging", MetricsLogger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runfolio.convert.vibe_rl_lines import line_of, lines_of
from runfolio.convert.view import File, Snapshot
from runfolio.model.events import Event
from runfolio.store.follow import Call

_Beside = tuple[str, int | None, frozenset[tuple[str, str]]]


def render(snapshot: Snapshot, path: str, options: Mapping[str, Any]) -> Iterable[File]:
    """Give the one file."""
    yield File(path, "".join(texts(snapshot)), lines=True)


def texts(snapshot: Snapshot) -> Iterator[str]:
    """Give the lines of a run with their ends, many at a time."""
    besides: Counter[_Beside] = Counter()  # the calls that are still to come beside a record
    calls: list[dict[str, Any]] = []
    for entry in snapshot.entries:
        if isinstance(entry, Call):
            if not (besides and _take(besides, _key(entry.writer, entry.step, entry.values))):
                calls.append(entry.values if entry.step is None else {"step": entry.step, **entry.values})
        elif (value := _told(entry)) is not None:
            yield from lines_of(calls)
            calls = []
            if value.get("beside"):
                besides[_beside(entry, value)] += 1
            yield f"{_text(value)}\n"
    yield from lines_of(calls)


def _told(event: Event) -> dict[str, Any] | None:
    """Give what a record event of this dialect says; None for any other event."""
    value = event.body.get("value") if event.type == "record" else None
    ours = isinstance(value, dict) and (isinstance(value.get("line"), dict) or isinstance(value.get("raw"), str))
    return value if ours else None


def _text(value: Mapping[str, Any]) -> str:
    raw = value.get("raw")
    return raw if isinstance(raw, str) else line_of(value["line"])


def _beside(event: Event, value: Mapping[str, Any]) -> _Beside:
    line = value.get("line") or {}
    return _key(event.journal, event.body.get("step"), {name: line.get(name) for name in value["beside"]})


def _key(writer: str, step: int | None, values: Mapping[str, Any]) -> _Beside:
    """Name a call by all that it says: as text, since NaN must equal itself here, and 1 must not equal 1.0."""
    return writer, step, frozenset([(name, repr(value)) for name, value in values.items()])


def _take(besides: Counter[_Beside], key: _Beside) -> bool:
    if not besides[key]:
        return False
    besides[key] -= 1
    if not besides[key]:
        del besides[key]
    return True
