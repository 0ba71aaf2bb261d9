"""The runs of a lab folder as its tracker tells them: params, metrics, metadata. What its files and its reading calls have in common.

Source: the lab document, "Data Format".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from runfolio.convert.lab_folder import WHOLE_KEYS, members, scope_of, text_of
from runfolio.model.params import unflatten
from runfolio.model.run_state import Record
from runfolio.model.states import FINISHED, RUNNING
from runfolio.query.run import Run
from runfolio.query.store import Store
from runfolio.store.follow import Call, Entry
from runfolio.store.layout import Layout

COMPLETED = "completed"
CUT_NS = 1023
"""A call's time is kept in ticks of 1,024 ns: a full second, as imported runs have them, may stand a little before it."""


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


def metrics_of(entries: Iterable[Entry]) -> dict[str, list[dict[str, Any]]]:
    """Give each metric's history as a reader of the tracker gets it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for step, values, time_ns in logged(entries):
        timestamp = local_seconds(time_ns)
        for name, value in values.items():
            found.setdefault(name, []).append({"step": step, "value": value, "timestamp": timestamp})
    return found


def logged(entries: Iterable[Entry]) -> Iterator[tuple[int | None, Mapping[str, Any], int]]:
    """Give calls, and records of what is no number, as (step, values, time)."""
    for entry in entries:
        if isinstance(entry, Call):
            yield entry.step, entry.values, entry.time_ns
        elif entry.type == "record" and isinstance(entry.body.get("value"), dict):
            yield entry.body.get("step"), entry.body["value"], entry.time_ns


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


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone().replace(tzinfo=None).isoformat(timespec="seconds")


def local_seconds(time_ns: int) -> str:
    """Give a time as the tracker writes it."""
    return datetime.fromtimestamp((time_ns + CUT_NS) // 1_000_000_000).isoformat(timespec="seconds")
