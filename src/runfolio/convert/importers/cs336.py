"""Bring in what cs336's ExperimentTracker wrote: `experiment_<name>_<time>.json`.

Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": Output Files, Metrics Logged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from runfolio.convert.cs336_file import (
    KNOWN,
    NUMBERS,
    LogFile,
    files_in,
    is_named_as_log,
    parse_time_ns,
    read_log,
    stem_of,
    time_ns_in,
)
from runfolio.convert.foreign import ForeignCall, ForeignRecord, ForeignRun, Skipped
from runfolio.errors import InvalidValue, Unreadable, UsageError
from runfolio.model.leaf import plain
from runfolio.model.names import check_name
from runfolio.model.numbers import scalar
from runfolio.model.params import flatten

SYSTEM = "cs336"
FOLDER = "experiment_logs"


def find(path: str) -> Iterator[ForeignRun | Skipped]:
    """Find the runs of a log folder, of the project that holds `experiment_logs`, or of one file."""
    try:
        files = files_in(_folder(path)) if os.path.isdir(path) else [path]
    except OSError as error:
        yield Skipped(path, f"it cannot be read: {error.strerror}")
        return
    for file in files:
        try:
            log = read_log(file)
        except Unreadable as unreadable:
            yield Skipped(file, str(unreadable))
        else:
            yield foreign_run(log)


def _folder(path: str) -> str:
    below = os.path.join(path, FOLDER)
    holds_logs = any(is_named_as_log(file) for file in files_in(path))
    return below if not holds_logs and os.path.isdir(below) else path


def foreign_run(log: LogFile) -> ForeignRun:
    """Turn what was read into a run."""
    fields, oddities = log.fields, list(log.oddities)
    created_ns = _created_ns(log)
    params = _keepable(fields["config"], oddities)
    calls, records = _points(fields["metrics_history"], created_ns, oddities)
    others = {key: value for key, value in fields.items() if key not in KNOWN}
    if others:
        records[:0] = _record(None, others, created_ns, oddities)
    stem = stem_of(log.path)
    name = _name_or_none(log.name, oddities)
    return ForeignRun(
        system=SYSTEM,
        identity=f"{stem}\n{log.name}\n{fields['start_time']}",
        name=name,
        experiment=name,
        aliases=[stem] if _name_or_none(stem, []) else [],
        params=params,
        notes=fields["notes"] or None,
        summary={key: fields[key] for key in NUMBERS if fields[key] is not None},
        calls=calls,
        records=records,
        status=None if fields["end_time"] is None else "finished",
        created_ns=created_ns,
        ended_ns=parse_time_ns(fields["end_time"]),
        claims=[(SYSTEM, os.path.realpath(log.path))],
        sources=[log.path],
        skipped=[Skipped(log.path, oddity) for oddity in oddities],
    )


def _created_ns(log: LogFile) -> int | None:
    """Say when the run began: by its own word, else by the file's name, else by the file's age."""
    told = parse_time_ns(log.fields["start_time"])
    told = time_ns_in(log.path) if told is None else told
    try:
        return os.stat(log.path).st_mtime_ns if told is None else told
    except OSError:
        return None


def _points(
    history: list[dict[str, Any]], created_ns: int | None, oddities: list[str]
) -> tuple[list[ForeignCall], list[ForeignRecord]]:
    """Part what is a number from what is none."""
    calls: list[ForeignCall] = []
    records: list[ForeignRecord] = []
    for row in history:
        step, values, rest = row["iteration"], {}, {}
        for key, value in row.items():
            if key == "iteration" or value is None:
                continue
            try:
                values[check_name(key)] = scalar(value, key)
            except InvalidValue:
                rest[key] = value
        time_ns = _moved(created_ns, values.get("wallclock_time"))
        if values:
            calls.append(ForeignCall(step, values, time_ns))
        if rest:
            records += _record(step, rest, time_ns, oddities)
    return calls, records


def _record(step: int | None, value: dict[str, Any], time_ns: int | None, oddities: list[str]) -> list[ForeignRecord]:
    try:
        plain([value], "record")
    except InvalidValue as refused:
        oddities.append(str(refused))
        return []
    return [ForeignRecord(step, value, time_ns)]


def _moved(created_ns: int | None, seconds: float | None) -> int | None:
    if created_ns is None or seconds is None or not 0 <= seconds < 1e9:
        return None
    return created_ns + int(seconds * 1e9)


def _keepable(config: Mapping[str, Any], oddities: list[str]) -> dict[str, Any]:
    """Give the params that can be kept; the others are told."""
    kept: dict[str, Any] = {}
    for key, value in config.items():
        try:
            flatten({**kept, key: value})
        except UsageError as refused:
            oddities.append(f"config: {refused}")
        else:
            kept[key] = value
    return kept


def _name_or_none(name: str, oddities: list[str]) -> str | None:
    try:
        return check_name(name)
    except InvalidValue as refused:
        oddities.append(str(refused))
        return None
