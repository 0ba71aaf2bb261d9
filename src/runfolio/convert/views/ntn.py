"""Render a run as the NTN tracker's JSON file: one file per seed.

Source: NTN experiment tracking, "File Tracking", "Metrics Tracked".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runfolio.convert.strict import dumps
from runfolio.convert.view import File, Snapshot
from runfolio.model.events import Event
from runfolio.model.params import flatten, same, unflatten
from runfolio.model.states import FAILED, FINISHED, KILLED


def render(snapshot: Snapshot, path: str, options: Mapping[str, Any]) -> Iterable[File]:
    """Give the one file: name, config, hparams, a flat record for each call, summary.

    Args:
        options: `name`, and `config`, `hparams` and `summary` in the shape in which the script gave them: the run's own params and
            summary have dotted keys, which do not tell `{"a.b": 1}` from `{"a": {"b": 1}}`.
    """
    name = options.get("name") or os.path.basename(path).removesuffix(".json")
    parts = {
        "experiment_name": dumps(name),
        "config": _indented(options.get("config") or {}),
        "hparams": _indented(options.get("hparams") or {}),
        "metrics_log": _one_a_line(list(_rows(snapshot))),
        "summary": _indented(_summary(snapshot, {**(options.get("summary") or {})})),
    }
    yield File(path, "{\n" + ",\n".join(f'  "{key}": {text}' for key, text in parts.items()) + "\n}\n")


def _rows(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """Give a record for each call, in the order of calling: `step` first, then what was logged."""
    for entry in snapshot.entries:
        if not isinstance(entry, Event):
            yield {"step": entry.step, **entry.values}
        elif entry.type == "record" and isinstance(entry.body.get("value"), dict):  # of old files: what is no number
            step = {"step": entry.body.get("step")}
            yield step | entry.body["value"] | step


def _one_a_line(rows: list[dict[str, Any]]) -> str:
    """Write records, each on a line of its own, at the cost of one dumps: with an indent the standard library's is ten times slower."""
    if not rows:
        return "[]"
    # A quote inside a text is written \", so this never stands inside of one.
    text = dumps(rows).replace('}, {"step": ', '},\n    {"step": ').replace('},{"step":', '},\n    {"step":')
    return f"[\n    {text[1:-1]}\n  ]"


def _indented(value: Any) -> str:
    return dumps(value, indent=2).replace("\n", "\n  ")  # a newline inside a text is written \n


def _summary(snapshot: Snapshot, told: dict[str, Any]) -> dict[str, Any]:
    """Give what the script told, what else the run's summary has, and why it ended where it could not say so itself."""
    known, kept = flatten(told), snapshot.state.summary
    changed = any(key in kept and not same(kept[key], value) for key, value in known.items())  # by another writer
    summary = (
        unflatten(kept) if changed else _joined(told, unflatten({key: kept[key] for key in kept if key not in known}))
    )
    error = _cause(snapshot)
    if error is not None and "error" not in summary:
        summary |= {"success": False, "error": error}
    return summary


def _joined(told: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Add to what was told what is known besides, at any depth; where the two differ, what was told is the later."""
    both = {
        key: _joined(told[key], more[key])
        for key in told
        if isinstance(told[key], dict) and isinstance(more.get(key), dict)
    }
    return told | {key: more[key] for key in more if key not in told} | both


def _told_its_end(snapshot: Snapshot) -> bool:
    """Say whether the latest attempt was finalized: what the launcher says later of the script's end is of its later seeds."""
    attempts = snapshot.state.attempts
    ends = [entry for entry in snapshot.entries if isinstance(entry, Event) and entry.type == "finish"]
    if not ends or ends[-1].attempt != attempts[-1].number:
        return False
    return ends[-1].body.get("status") == FINISHED and ends[-1].body.get("implied") is not True


def _cause(snapshot: Snapshot) -> str | None:
    """Say what ended the run before its script did; None where nothing has."""
    status, reason = snapshot.status, snapshot.reason
    if _told_its_end(snapshot):
        return None
    if status == FAILED:
        error = snapshot.state.error
        return (error and (error.message or error.kind)) or reason or FAILED
    if status == KILLED:
        named = reason and reason != "SIGKILL" and (reason.startswith("SIG") or reason == "KeyboardInterrupt")
        return f"{KILLED}: {reason}" if named else KILLED
    return None
