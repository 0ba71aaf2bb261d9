"""Read the files that cs336's ExperimentTracker wrote: `experiment_<name>_<time>.json`.

They may hold bare NaN, lack fields, or be torn. Ours, with their infinities as text, read the same.
Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": Output Files, Metrics Logged.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runfolio.convert.foreign import ForeignCall, ForeignRecord, ForeignRun, Skipped
from runfolio.convert.strict import restored
from runfolio.errors import InvalidValue, Unreadable, UsageError
from runfolio.model.leaf import plain
from runfolio.model.names import check_name, shown
from runfolio.model.numbers import check_step, scalar
from runfolio.model.params import flatten

SYSTEM = "cs336"
FOLDER = "experiment_logs"
SUFFIX = ".json"
PREFIX = "experiment_"
_TEXTS = ("experiment_name", "device")
_COLUMNS = (
    "gradient_step", "wallclock_time", "train_loss", "val_loss", "learning_rate", "tokens_per_sec", "iter_time_ms",
)  # fmt: skip
_NUMBERS = (
    "duration_seconds", "best_train_loss", "best_val_loss", "final_train_loss", "final_val_loss",
)  # fmt: skip
_KNOWN = frozenset(("config", "start_time", "end_time", "metrics_history", "notes", *_NUMBERS))
_FILE_NAME = re.compile(rf"{PREFIX}(.+)_(\d{{8}}_\d{{6}})", re.DOTALL)


@dataclass(frozen=True)
class LogFile:
    """A file as it was read: the document's record with its numbers as numbers, and what of it made no sense."""

    path: str
    fields: dict[str, Any]
    oddities: list[str]

    @property
    def name(self) -> str:
        """The experiment's name."""
        return str(self.fields["config"]["experiment_name"])


# ------------------------------------------------------------------------------------------------------------- reading


def files_in(folder: str) -> list[str]:
    """Give the JSON files of a log folder, by name.

    Raises:
        OSError: no such folder, or one that cannot be read.
    """
    names = sorted(name for name in os.listdir(folder) if name.endswith(SUFFIX))
    return [path for path in (os.path.join(folder, name) for name in names) if os.path.isfile(path)]


def is_named_as_log(path: str) -> bool:
    """Say whether a file has the name that the tracker gives."""
    return os.path.basename(path).startswith(PREFIX)


def read_log(path: str) -> LogFile:
    """Read one file.

    Raises:
        Unreadable: it is torn, or something else; the message says what, without the path.
    """
    found = _parsed(path)
    if not isinstance(found, dict) or found.keys().isdisjoint(("config", "metrics_history")):
        raise Unreadable("no experiment log: it has neither a config nor a metrics_history")
    oddities: list[str] = []
    fields: dict[str, Any] = {
        **found,
        "config": _config(found.get("config"), path, oddities),
        "metrics_history": _history(found.get("metrics_history"), oddities),
        "notes": _text(found.get("notes"), "notes", oddities) or "",
    }
    for name in ("start_time", "end_time"):
        fields[name] = _time(found.get(name), name, oddities)
    for name in _NUMBERS:
        fields[name] = _number(found.get(name), name, oddities)
    return LogFile(path, fields, oddities)


def _parsed(path: str) -> Any:
    try:
        with open(path, encoding="utf-8-sig") as file:
            return json.load(file)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        torn = (
            "it is empty" if not error.doc.strip() else f"no JSON from line {error.lineno} on: torn, or another format"
        )
        raise Unreadable(torn) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"no JSON: {shown(error, 120)}") from error


def _config(config: Any, path: str, oddities: list[str]) -> dict[str, Any]:
    if not isinstance(config, dict):
        oddities.append(f"config is no object: {shown(config)}" if config is not None else "there is no config")
        config = {}
    kept: dict[str, Any] = {key: value if key in _TEXTS else restored(value) for key, value in config.items()}
    name = kept.get("experiment_name")
    if not isinstance(name, str) or not name:
        kept["experiment_name"] = _name_in(path)
        oddities.append("config has no experiment_name: taken from the file's name")
    return kept


def _name_in(path: str) -> str:
    stem = os.path.basename(path).removesuffix(SUFFIX)
    found = _FILE_NAME.fullmatch(stem)
    return found[1] if found else stem.removeprefix(PREFIX) or stem or "unnamed"


def _history(history: Any, oddities: list[str]) -> list[dict[str, Any]]:
    if not isinstance(history, list):
        oddities.append("there is no metrics_history" if history is None else "metrics_history is no list")
        return []
    rows = []
    for place, row in enumerate(history):
        try:
            row = {**restored(row), "iteration": _iteration(row["iteration"])}
        except (TypeError, KeyError, ValueError):
            oddities.append(f"snapshot {place} has no iteration that is an int: left out")
            continue
        for name in _COLUMNS:
            if row.get(name) is not None and not is_number(row[name]):
                oddities.append(f"iteration {row['iteration']}: {name} is no number: {shown(row[name])}")
        rows.append(row)
    return rows


def is_number(value: object) -> bool:
    """Say whether a value of a file is a number; a bool is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _iteration(value: Any) -> int:
    return check_step(int(value) if isinstance(value, float) and value.is_integer() else value, "iteration")


def _number(value: Any, name: str, oddities: list[str]) -> float | None:
    value = restored(value)
    if value is None or is_number(value):
        return value  # type: ignore[no-any-return]
    oddities.append(f"{name} is no number: {shown(value)}")
    return None


def _text(value: Any, name: str, oddities: list[str]) -> str | None:
    if value is None or isinstance(value, str):
        return value
    oddities.append(f"{name} is no text: {shown(value)}")
    return None


def _time(value: Any, name: str, oddities: list[str]) -> str | None:
    text = _text(value, name, oddities)
    if text and _time_ns(text) is None:
        oddities.append(f"{name} is no time: {shown(text)}")
        return None
    return text or None


def _time_ns(text: str | None) -> int | None:
    """Read an ISO time; one without an offset is of this machine's zone, as the original program meant it."""
    try:
        moment = datetime.fromisoformat(text or "")
        return int(moment.timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError, OSError):
        return None


# ----------------------------------------------------------------------------------------------------------- importing


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
    others = {key: value for key, value in fields.items() if key not in _KNOWN}
    if others:
        records[:0] = _record(None, others, created_ns, oddities)
    stem = os.path.basename(log.path).removesuffix(SUFFIX)
    name = _name_or_none(log.name, oddities)
    return ForeignRun(
        system=SYSTEM,
        identity=f"{stem}\n{log.name}\n{fields['start_time']}",
        name=name,
        experiment=name,
        aliases=[stem] if _name_or_none(stem, []) else [],
        params=params,
        notes=fields["notes"] or None,
        summary={key: fields[key] for key in _NUMBERS if fields[key] is not None},
        calls=calls,
        records=records,
        status=None if fields["end_time"] is None else "finished",
        created_ns=created_ns,
        ended_ns=_time_ns(fields["end_time"]),
        claims=[(SYSTEM, os.path.realpath(log.path))],
        sources=[log.path],
        skipped=[Skipped(log.path, oddity) for oddity in oddities],
    )


def _created_ns(log: LogFile) -> int | None:
    """Say when the run began: by its own word, else by the file's name, else by the file's age."""
    told = _time_ns(log.fields["start_time"])
    if told is not None:
        return told
    found = _FILE_NAME.fullmatch(os.path.basename(log.path).removesuffix(SUFFIX))
    try:
        return _time_ns(found[2].replace("_", "T")) if found else os.stat(log.path).st_mtime_ns
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
