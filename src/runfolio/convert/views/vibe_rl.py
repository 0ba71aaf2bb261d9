"""Render a run as a vibe-rl metrics file: one JSON object per line and call, in the order of writing.

A call of `log` is a line: its step first, then its fields. A record event `{"line": …}` is a line as it stands, for what holds more than numbers;
the metrics of the names in its `beside` were logged only for charts, and make no line of their own. `raw` is the text of a line that another
program wrote: it stays as it is, so that our lines can be appended to its file.
Source: vibe-rl, "Metrics & Logging", MetricsLogger.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runfolio.convert.strict import dumps
from runfolio.convert.vibe_rl_lines import line_of
from runfolio.convert.view import File, Snapshot
from runfolio.model.events import Event
from runfolio.store.follow import Calls, Part, in_order, parts_of

_Key = frozenset[tuple[str, str]]


def render(snapshot: Snapshot, path: str, options: Mapping[str, Any]) -> Iterable[File]:
    """Give the one file."""
    yield File(path, "".join(in_order(_lines(part) for part in parts_of(snapshot.files, _made))), lines=True)


def _made(calls: Calls) -> list[str]:
    """Write calls as lines: by one format for all, which is filled in by loops that stay in C."""
    fields = {} if calls.steps is None else {"step": calls.steps.tolist()}
    fields |= {key: _texts(column) for key, column in zip(calls.keys, calls.columns, strict=True)}
    if not fields:
        return ["{}\n"] * len(calls.seq)
    names = (json.dumps(key).replace("%", "%%") for key in fields)
    form = "{" + ", ".join(f"{name}: %s" for name in names) + "}\n"
    return list(map(form.__mod__, zip(*fields.values(), strict=True)))


def _texts(column: NDArray[Any]) -> list[Any]:
    """Give values whose texts are what JSON makes of them."""
    values: list[Any] = column.tolist()
    plain = column.dtype.kind != "b" and np.isfinite(column).all()
    return values if plain else [dumps(value) for value in values]


# ------------------------------------------------------------------------------------------------------------ records


def _lines(part: Part[str | Event]) -> Part[str]:
    """Turn what a writer tells into lines: empty where it has none."""
    besides: Counter[_Key] = Counter()  # the calls that are still to come beside a record
    lines: list[str] = []
    for entry in part.told:
        if isinstance(entry, Event):
            lines.append(_line(entry, besides))
        else:
            lines.append("" if besides and _take(besides, _key(entry)) else entry)
    return Part(part.attempt, part.writer, lines, part.seq, part.times_ns)


def _line(event: Event, besides: Counter[_Key]) -> str:
    """Give what a record event of this dialect says, and note the call that will come beside it; nothing for any other event."""
    value = event.body.get("value") if event.type == "record" else None
    if not isinstance(value, dict) or not (isinstance(value.get("line"), dict) or isinstance(value.get("raw"), str)):
        return ""
    if value.get("beside"):
        besides[_key(_beside(event.body.get("step"), value))] += 1
    raw = value.get("raw")
    return f"{raw if isinstance(raw, str) else line_of(value['line'])}\n"


def _beside(step: int | None, value: Mapping[str, Any]) -> str:
    """Write the line that the call beside a record makes, but for the order of its fields."""
    line = value.get("line") or {}
    named = {name: line.get(name) for name in value["beside"]}
    return line_of(named if step is None else {"step": step, **named})


def _key(line: str) -> _Key:
    """Name a call by all that it says: as text, since NaN must equal itself here, and 1 must not equal 1.0."""
    return frozenset([(name, repr(value)) for name, value in json.loads(line).items()])


def _take(besides: Counter[_Key], key: _Key) -> bool:
    if not besides[key]:
        return False
    besides[key] -= 1
    if not besides[key]:
        del besides[key]
    return True
