"""The documented files of the lab tracker: params.json and metrics.json of a run, and metadata.json over all runs of the folder.

    params.json      {"learning_rate": 0.001, "hidden_dims": [256, 128, 64]}
    metrics.json     {"val_auc": [{"step": 0, "value": 0.7123, "timestamp": "2024-11-15T10:31:00"}]}
    metadata.json    [{"run_id": "run_001", "experiment_name": "ctr_model", "created_at": …, "finished_at": …, "status": "completed",
                       "tags": {"version": "v1"}, "description": "Baseline model", "run_dir": "experiments/runs/run_001"}]

One entry per call, in the order of calls; a point without a step has `"step": null`. Times are local, in seconds, without a zone.
The index is made of the store and not of the file that is there, so no two writers can take an entry from each other.

Cost: linear; an entry costs less than `json.dumps` of it.
Source: the lab document, "Storage Structure" and "Data Format"; the layout is the one that it shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from runfolio.convert.lab_runs import CUT_NS, entry_of, local_seconds, logged, params_of, runs_of
from runfolio.convert.strict import dumps
from runfolio.convert.view import File, Snapshot, snapshot
from runfolio.journal import frame
from runfolio.journal.scan import events, scan
from runfolio.model.states import RUNNING
from runfolio.store.follow import Entry
from runfolio.store.layout import Layout

_HEAD_BYTES = 1 << 14  # of a journal: what a view was asked for with stands near its beginning


def render(snapshot: Snapshot, path: str, options: Mapping[str, Any]) -> Iterator[File]:
    """Give the files of one run below the folder `path`, and the folder's index.

    Args:
        options: `number`, the run's number as text; `base_dir`, the folder as the user named it; of an imported run `entry`, its old one.
    """
    folder = os.path.join(path, "runs", str(options["number"]))
    params = params_of(snapshot.state.params, snapshot.state.records)
    yield File(os.path.join(folder, "params.json"), _object(params.items(), dumps))
    yield File(os.path.join(folder, "metrics.json"), metrics_text(snapshot.entries))
    yield File(os.path.join(path, "metadata.json"), _array(entries_of(snapshot.layout, path)))


# ------------------------------------------------------------------------------------------------------------ metrics


def metrics_text(entries: Iterable[Entry]) -> str:
    """Write what `metrics_of` gives as the document shows it: a line for each entry."""
    found: dict[str, list[str]] = {}
    second, timestamp = -1, ""
    for step, values, time_ns in logged(entries):
        if (time_ns + CUT_NS) // 1_000_000_000 != second:
            second = (time_ns + CUT_NS) // 1_000_000_000
            timestamp = local_seconds(time_ns)
        head = f'    {{"step": {"null" if step is None else step}, "value": '
        tail = f', "timestamp": "{timestamp}"}}'
        for name, value in values.items():
            kind = type(value)
            plain = kind is int or (kind is float and value - value == 0)
            line = f"{head}{value!r}{tail}" if plain else f"{head}{dumps(value)}{tail}"
            try:
                found[name].append(line)
            except KeyError:
                found[name] = [line]
    return _object(((name, lines) for name, lines in found.items()), lambda lines: "[\n" + ",\n".join(lines) + "\n  ]")


# ---------------------------------------------------------------------------------------------------------- the index


def entries_of(layout: Layout, path: str) -> list[dict[str, Any]]:
    """Give an entry for each run of a folder, in the order of numbers, as whoever made the run named the folder."""
    found = []
    for number, run in runs_of(layout, path):
        options = options_of(layout, run.id, path)
        entry = entry_of(run, number, str(options.get("base_dir", path)))
        old = options.get("entry")
        found.append(_as_it_was(entry, old, run.ended is not None) if isinstance(old, dict) else entry)
    return found


def options_of(layout: Layout, run_id: str, path: str) -> Mapping[str, Any]:
    """Give what the view of a run at `path`, else at another, was asked for with; empty where none was. Remembered: it does not change."""
    key = (layout.root, run_id, path)
    if key not in _options:
        asked = _asked_in_heads(layout, run_id)
        if not asked:
            asked = {kept.path: kept.options for kept in snapshot(layout, run_id).state.views if kept.what == "lab"}
        if not asked:
            return {}
        _options[key] = asked[path] if path in asked else next(iter(asked.values()))
    return _options[key]


_options: dict[tuple[str, str, str], Mapping[str, Any]] = {}


def _asked_in_heads(layout: Layout, run_id: str) -> dict[str, Mapping[str, Any]]:
    """Look at the beginnings of a run's journals: the index of many long runs shall not read all their points."""
    folder = layout.run_journal(run_id)
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(frame.SUFFIX))
    except OSError:
        return {}
    asked = {}
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            found = scan(file.read(_HEAD_BYTES), name[: -len(frame.SUFFIX)])
        for _, body in events(found):
            if (body.get("type"), body.get("format")) == ("view", "lab") and isinstance(body.get("options"), dict):
                asked[str(body.get("path"))] = body["options"]
    return asked


def _as_it_was(entry: dict[str, Any], old: Mapping[str, Any], told_its_end: bool) -> dict[str, Any]:
    """Let an imported run keep its entry to the letter, where that still says the same."""
    fresh = {key: value for key, value in entry.items() if not _agrees(key, value, old.get(key))}
    if old.get("status") == RUNNING and not told_its_end:  # the original never knew of a run that it had ended
        fresh.pop("status", None)
    if "status" not in fresh and old.get("finished_at") is None:
        fresh.pop("finished_at", None)
    return {**entry, **old, **fresh}


def _agrees(key: str, new: Any, old: Any) -> bool:
    if key in ("created_at", "finished_at"):
        return bool(new == _seconds(old))
    if key == "tags" and isinstance(old, dict):
        return bool(new == {name: value if isinstance(value, str) else dumps(value) for name, value in old.items()})
    if key == "tags" and isinstance(old, list):
        return bool(new == dict.fromkeys(map(str, old), ""))
    return bool(new == old or (key == "run_dir" and isinstance(old, str)))


def _seconds(text: Any) -> str | None:
    try:
        return datetime.fromisoformat(text).astimezone().replace(tzinfo=None).isoformat(timespec="seconds")
    except (TypeError, ValueError):
        return None


# ------------------------------------------------------------------------------------------------------------ its text


def _object(items: Iterable[tuple[str, Any]], written: Any) -> str:
    lines = ",\n".join(f"  {dumps(key)}: {written(value)}" for key, value in items)
    return f"{{\n{lines}\n}}\n" if lines else "{}\n"


def _array(entries: Iterable[Mapping[str, Any]]) -> str:
    texts = []
    for entry in entries:
        lines = ",\n".join(f"    {dumps(key)}: {dumps(value)}" for key, value in entry.items())
        texts.append(f"  {{\n{lines}\n  }}")
    return "[\n" + ",\n".join(texts) + "\n]\n" if texts else "[]\n"
