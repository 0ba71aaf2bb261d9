"""Read the file of one experiment of cs336's ExperimentTracker: ours, or the original program's.

It may hold bare NaN, lack fields, or be torn. Ours, with its infinities as text, reads the same.
Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": Output Files, Metrics Logged.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runfolio.convert.strict import restored
from runfolio.errors import Unreadable
from runfolio.model.names import shown
from runfolio.model.numbers import check_step

SUFFIX = ".json"
PREFIX = "experiment_"
_TEXTS = ("experiment_name", "device")
SNAPSHOT = (
    "iteration", "gradient_step", "wallclock_time", "train_loss", "val_loss", "learning_rate", "tokens_per_sec", "iter_time_ms",
)  # fmt: skip
NUMBERS = (
    "duration_seconds", "best_train_loss", "best_val_loss", "final_train_loss", "final_val_loss",
)  # fmt: skip
KNOWN = frozenset(("config", "start_time", "end_time", "metrics_history", "notes", *NUMBERS))
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
    if "metrics_log" in found and "metrics_history" not in found:  # both programs write into experiment_logs by default
        raise Unreadable("no experiment log: it is a file of the NTN trackers; try: runfolio import ntn")
    oddities: list[str] = []
    fields: dict[str, Any] = {
        **found,
        "config": _config(found.get("config"), path, oddities),
        "metrics_history": _history(found.get("metrics_history"), oddities),
        "notes": _text(found.get("notes"), "notes", oddities) or "",
    }
    for name in ("start_time", "end_time"):
        fields[name] = _time(found.get(name), name, oddities)
    for name in NUMBERS:
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


def stem_of(path: str) -> str:
    """Give the name of a file without its ending."""
    return os.path.basename(path).removesuffix(SUFFIX)


def _name_in(path: str) -> str:
    stem = stem_of(path)
    found = _FILE_NAME.fullmatch(stem)
    return found[1] if found else stem.removeprefix(PREFIX) or stem or "unnamed"


def time_ns_in(path: str) -> int | None:
    """Read the time that a file's name tells."""
    found = _FILE_NAME.fullmatch(stem_of(path))
    return parse_time_ns(found[2].replace("_", "T")) if found else None


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
        for name in SNAPSHOT:
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
    if text and parse_time_ns(text) is None:
        oddities.append(f"{name} is no time: {shown(text)}")
        return None
    return text or None


def parse_time_ns(text: str | None) -> int | None:
    """Read an ISO time; one without an offset is of this machine's zone, as the original program meant it."""
    try:
        moment = datetime.fromisoformat(text or "")
        return int(moment.timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError, OSError):
        return None
