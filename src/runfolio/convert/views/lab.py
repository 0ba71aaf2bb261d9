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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from runfolio.convert.lab_folder import WHOLE_KEYS, members, scope_of, text_of
from runfolio.convert.strict import dumps
from runfolio.convert.view import File, Snapshot, snapshot
from runfolio.journal import frame
from runfolio.journal.scan import events, scan
from runfolio.model.params import unflatten
from runfolio.model.run_state import Record
from runfolio.model.states import FINISHED, RUNNING
from runfolio.query.run import Run
from runfolio.query.store import Store
from runfolio.store.follow import Call, Entry
from runfolio.store.layout import Layout

COMPLETED = "completed"
_CUT_NS = 1023  # a call's time is kept in ticks of 1,024 ns: a full second, as imported runs have them, may stand a little before it
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


# ------------------------------------------------------------------------------------------------------------- params


def params_of(flat: Mapping[str, Any], records: Iterable[Record]) -> dict[str, Any]:
    """Give params as they were logged: nested, and a key that has dots itself as one."""
    whole = _whole_keys(records)
    if not whole:
        return unflatten(flat)
    params: dict[str, Any] = unflatten({key: value for key, value in flat.items() if key not in whole})
    for key, path in whole.items():
        if key in flat:
            _put(params, path, flat[key])
    return params


def _whole_keys(records: Iterable[Record]) -> dict[str, list[str]]:
    whole: dict[str, list[str]] = {}
    for record in records:
        if isinstance(record.value, list) and record.value[:1] == [WHOLE_KEYS]:
            paths = [[str(part) for part in path] for path in record.value[1:] if isinstance(path, list) and path]
            whole.update((".".join(path), path) for path in paths)
    return whole


def _put(params: dict[str, Any], path: Sequence[str], value: Any) -> None:
    at = params
    for part in path[:-1]:
        inner = at.setdefault(part, {})
        if not isinstance(inner, dict):
            params[".".join(path)] = value
            return
        at = inner
    at[path[-1]] = value


# ------------------------------------------------------------------------------------------------------------ metrics


def metrics_of(entries: Iterable[Entry]) -> dict[str, list[dict[str, Any]]]:
    """Give each metric's history as a reader of the tracker gets it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for step, values, time_ns in _logged(entries):
        timestamp = local_seconds(time_ns)
        for name, value in values.items():
            found.setdefault(name, []).append({"step": step, "value": value, "timestamp": timestamp})
    return found


def metrics_text(entries: Iterable[Entry]) -> str:
    """Write what `metrics_of` gives as the document shows it: a line for each entry."""
    found: dict[str, list[str]] = {}
    second, timestamp = -1, ""
    for step, values, time_ns in _logged(entries):
        if (time_ns + _CUT_NS) // 1_000_000_000 != second:
            second = (time_ns + _CUT_NS) // 1_000_000_000
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


def _logged(entries: Iterable[Entry]) -> Iterator[tuple[int | None, Mapping[str, Any], int]]:
    """Give calls, and records of what is no number, as (step, values, time)."""
    for entry in entries:
        if isinstance(entry, Call):
            yield entry.step, entry.values, entry.time_ns
        elif entry.type == "record" and isinstance(entry.body.get("value"), dict):
            yield entry.body.get("step"), entry.body["value"], entry.time_ns


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


def runs_of(layout: Layout, path: str) -> list[tuple[int, Run]]:
    """Give the runs of a folder with their numbers, as the store knows them at this moment; deleted ones are left out."""
    numbers = {run_id: number for number, run_id in members(layout, scope_of(path))}
    if not numbers:
        return []
    with Store(layout) as store:
        runs = [(numbers[run.id], run) for run in store.runs(archived=None) if run.id in numbers]
        for _, run in runs:
            _ = run.tags  # read while the store is open
    return sorted(runs, key=lambda pair: pair[0])


def entry_of(run: Run, number: int, base_dir: str) -> dict[str, Any]:
    """Give the metadata of a run."""
    text = text_of(number)
    ended = run.ended
    if ended is None and run.status != RUNNING and run.started is not None:
        ended = run.since or datetime.fromtimestamp(run.started.timestamp() + run.duration_s, run.started.tzinfo)
    return {
        "run_id": text,
        "experiment_name": run.experiment,
        "created_at": _local(run.created),
        "finished_at": None if run.status == RUNNING else _local(ended),
        "status": word_of(run.status),
        "tags": run.tags,
        "description": run.notes,
        "run_dir": os.path.join(base_dir, "runs", text),
    }


def word_of(status: str) -> str:
    """Give the tracker's word for a status."""
    return COMPLETED if status == FINISHED else status


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


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone().replace(tzinfo=None).isoformat(timespec="seconds")


def local_seconds(time_ns: int) -> str:
    """Give a time as the tracker writes it."""
    return datetime.fromtimestamp((time_ns + _CUT_NS) // 1_000_000_000).isoformat(timespec="seconds")


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
