"""Read a folder that the lab's ExperimentTracker wrote: `metadata.json` and `runs/run_001/` with params, metrics and artifacts.

The file of metrics keeps no calls, only a history for each metric: entries of one time and step are taken for one call, in the order of each history.
What is missing or torn is told; what stands before a tear in the index is used. A folder below `runs/` that the index does not know is a run too.
Source: the lab document, "Storage Structure" and "Data Format".
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from runfolio.convert.foreign import ForeignArtifact, ForeignCall, ForeignRecord, ForeignRun, ForeignView, Skipped
from runfolio.convert.lab_folder import SAME, WHOLE_KEYS, claim_of, identity_of, number_of, scope_of, whole_keys
from runfolio.convert.strict import dumps, restored
from runfolio.errors import InvalidValue
from runfolio.model.names import check_key, shown
from runfolio.model.states import FAILED, FINISHED, KILLED

SYSTEM = "lab"
_STATUSES = {
    "completed": FINISHED,
    "finished": FINISHED,
    "failed": FAILED,
    "killed": KILLED,
    "running": None,
    "lost": None,
}
_INT64 = range(-(2**63), 2**63)
_EXACT = 1 << 53  # a larger int is no float64; it is kept as a record


def find(path: str) -> Iterator[ForeignRun | Skipped]:
    """Read the runs of a folder, in the order of their numbers."""
    base = os.path.abspath(path)
    index, runs = os.path.join(base, "metadata.json"), os.path.join(base, "runs")
    if not os.path.exists(index) and not os.path.isdir(runs):
        yield Skipped(path, "neither metadata.json nor runs/ is here: name the tracker's base_dir")
        return
    entries, torn = _entries(index)
    if torn:
        yield Skipped(index, torn)
    known: set[str] = set()
    for entry in entries:
        text = entry.get("run_id") if isinstance(entry, dict) else None
        if not isinstance(text, str) or not _is_plain(text):
            yield Skipped(index, f"an entry without a usable run_id: {shown(entry)}")
        elif text in known:
            yield Skipped(index, f"a second entry of {text}: a run's folder holds one run")
        else:
            known.add(text)
            yield _OldRun(path, base, text, entry).read()
    for text in _folders(runs):
        if text not in known and number_of(text):
            yield _OldRun(path, base, text, None).read()


def _entries(index: str) -> tuple[list[Any], str]:
    """Read the index; of a torn one what stands before the tear, and what is wrong."""
    found = _read_json(index)
    if isinstance(found.value, list):
        return found.value, ""
    if not found.wrong:
        return [], "" if found.value is None else "it is no list of runs"
    whole = list(_before_tear(found.text))
    return whole, f"{found.wrong}; {len(whole)} entries before that are read, other runs from their folders"


def _before_tear(text: str) -> Iterator[Any]:
    """Give the objects of a JSON array, as far as it goes."""
    decoder, space = json.JSONDecoder(), re.compile(r"[\s,]*")
    at = text.find("[") + 1
    while at:
        try:
            value, at = decoder.raw_decode(text, space.match(text, at).end())  # type: ignore[union-attr]
        except (ValueError, RecursionError):
            return
        yield value


def _folders(runs: str) -> list[str]:
    try:
        names = [entry.name for entry in os.scandir(runs) if entry.is_dir()]
    except OSError:
        return []
    return sorted(names, key=lambda name: (number_of(name) or 0, name))


def _is_plain(text: str) -> bool:
    """Say whether a run's id is the name of a folder, and leads nowhere else."""
    return bool(text) and text not in (".", "..") and not set("/\\\0") & set(text)


# ------------------------------------------------------------------------------------------------------------- one run


class _OldRun:
    """One run of a folder, being read."""

    def __init__(self, path: str, base: str, text: str, entry: Mapping[str, Any] | None) -> None:
        self._path, self._base, self._text = path, base, text
        self._entry = entry or {}
        self._folder = os.path.join(base, "runs", text)
        self._sources: list[str] = []
        self._skipped: list[Skipped] = []
        if entry is None:
            self._skip(self._folder, "metadata.json does not have this run: its name, times and status are not known")

    def read(self) -> ForeignRun:
        params = self._object("params.json")
        calls, records = _logged(self._histories())
        whole = list(whole_keys(params))
        if whole:
            records.insert(0, ForeignRecord(None, [WHOLE_KEYS, *whole]))
        status, reason = self._status()
        artifacts = list(self._artifacts())
        identity = self._identity(params, calls)
        return ForeignRun(
            system=SYSTEM,
            identity=identity,
            experiment=_text(self._entry.get("experiment_name")),
            aliases=(self._text,),
            params=restored(params),
            tags=self._tags(),
            notes=_text(self._entry.get("description")),
            calls=calls,
            records=records,
            artifacts=artifacts,
            status=status,
            reason=reason,
            created_ns=self._created_ns(calls),
            ended_ns=_time_ns(self._entry.get("finished_at")),
            views=(ForeignView("lab", self._base, self._options()),),
            claims=self._claims(identity),
            sources=(*self._sources, *(artifact.path for artifact in artifacts)),
            skipped=self._skipped,
        )

    def _identity(self, params: Mapping[str, Any], calls: list[ForeignCall]) -> str:
        if self._entry:
            told = [self._entry.get(key) for key in ("created_at", "experiment_name")]
            return identity_of(self._text, *(str(each or "") for each in told))
        first = str(calls[0]) if calls else ""
        return identity_of(self._text, "", sha256((dumps(dict(params)) + first).encode()).hexdigest()[:16])

    def _claims(self, identity: str) -> list[tuple[str, str]]:
        number = number_of(self._text)
        if number is None:
            self._skip(self._folder, "its id is no number like run_001: it answers to it, but the tracker lists it not")
            return []
        return [claim_of(scope_of(self._base), number), (SAME, identity)]

    def _options(self) -> dict[str, Any]:
        told, end = self._entry.get("run_dir"), os.path.join("runs", self._text)
        named = isinstance(told, str) and os.path.normpath(told).endswith(os.sep + end)
        base_dir = os.path.normpath(str(told))[: -len(end) - 1] if named else self._path
        entry = {"entry": dict(self._entry)} if self._entry else {}
        return {"number": self._text, "base_dir": base_dir, **entry}

    def _status(self) -> tuple[str | None, str | None]:
        told = self._entry.get("status")
        if told is None or (isinstance(told, str) and told in _STATUSES):
            return (None if told is None else _STATUSES[told]), None
        return FINISHED, f"its status was {shown(told)}"

    def _tags(self) -> dict[str, str]:
        kept = {}
        for key, value in _tags(self._entry.get("tags")).items():
            try:
                kept[check_key(key, "tag")] = value
            except InvalidValue as refused:
                self._skip(os.path.join(self._base, "metadata.json"), f"{self._text}: {refused}")
        return kept

    def _created_ns(self, calls: list[ForeignCall]) -> int | None:
        told = _time_ns(self._entry.get("created_at"))
        times = [call.time_ns for call in calls if call.time_ns is not None]
        if told is not None or times:
            return told if told is not None else min(times)
        try:
            return os.stat(self._folder).st_mtime_ns
        except OSError:
            return None

    # ---------------------------------------------------------------- its files

    def _object(self, name: str) -> dict[str, Any]:
        path = os.path.join(self._folder, name)
        found = _read_json(path)
        if found.wrong or (found.value is not None and not isinstance(found.value, dict)):
            self._skip(path, found.wrong or "it is no JSON object")
        elif found.value is None:
            self._skip(path, "there is none")
        else:
            self._sources.append(path)
            return found.value
        return {}

    def _histories(self) -> dict[str, list[Any]]:
        found = {}
        for name, history in self._object("metrics.json").items():
            entries = [entry for entry in history if _is_entry(entry)] if isinstance(history, list) else []
            left = len(history) - len(entries) if isinstance(history, list) else 1
            if left:
                path = os.path.join(self._folder, "metrics.json")
                self._skip(path, f"{left} entries of {shown(name)} have no value, or a step that is no integer")
            found[name] = entries
        return found

    def _artifacts(self) -> Iterator[ForeignArtifact]:
        top = os.path.join(self._folder, "artifacts")
        for folder, folders, files in os.walk(top):
            folders.sort()
            for file in sorted(files):
                path = os.path.join(folder, file)
                if os.path.isfile(path) and not file.endswith(".tmp"):
                    yield ForeignArtifact(path, os.path.relpath(path, top).replace(os.sep, "/"))

    def _skip(self, path: str, reason: str) -> None:
        self._skipped.append(Skipped(path, reason))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _tags(tags: Any) -> dict[str, str]:
    if isinstance(tags, Mapping):
        return {key: value if isinstance(value, str) else dumps(value) for key, value in tags.items() if key}
    return dict.fromkeys(map(str, tags), "") if isinstance(tags, list) else {}


# --------------------------------------------------------------------------------------------------------- its metrics


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or "value" not in entry:
        return False
    step = entry.get("step")
    return step is None or (type(step) is int and step in _INT64) or (type(step) is float and step.is_integer())


def _logged(histories: Mapping[str, list[Any]]) -> tuple[list[ForeignCall], list[ForeignRecord]]:
    calls, records = [], []
    for step, time_ns, values in _calls(histories):
        numbers = {name: value for name, value in values.items() if _is_number(value)}
        others = {name: value for name, value in values.items() if name not in numbers}
        if numbers:
            calls.append(ForeignCall(step, numbers, time_ns))
        if others:
            records.append(ForeignRecord(step, others, time_ns))
    return calls, records


def _calls(histories: Mapping[str, list[Any]]) -> Iterator[tuple[int | None, int | None, dict[str, Any]]]:
    """Put histories together to calls: always the earliest entries that are left, those of one time and step as one."""
    names = list(histories)
    queues = {place: iter(_timed(histories[name])) for place, name in enumerate(names)}
    heads = [(*head, place) for place, queue in queues.items() if (head := next(queue, None))]
    heapify(heads)
    while heads:
        order, number, place = heads[0]
        batch: dict[int | None, dict[str, Any]] = {}
        time_ns = None
        taken = []
        while heads and heads[0][0] == order:
            _, number, place = heappop(heads)
            entry = histories[names[place]][number]
            time_ns = _time_ns(entry.get("timestamp"))
            step = entry.get("step")
            batch.setdefault(None if step is None else int(step), {})[names[place]] = restored(entry["value"])
            taken.append(place)
        for step, values in batch.items():
            yield step, time_ns, values
        for place in taken:
            if head := next(queues[place], None):
                heappush(heads, (*head, place))


def _timed(history: list[Any]) -> Iterator[tuple[int, int]]:
    """Give each entry's place in time, which never falls, and its number."""
    latest = 0
    for number, entry in enumerate(history):
        latest = max(latest, _time_ns(entry.get("timestamp")) or 0)
        yield latest, number


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, float)) or (isinstance(value, int) and -_EXACT <= value <= _EXACT)


# --------------------------------------------------------------------------------------------------------------- files


class _Found(NamedTuple):
    value: Any  # None where there is no file
    text: str = ""
    wrong: str = ""


def _read_json(path: str) -> _Found:
    """Read a file of JSON, with the bare NaN and Infinity that Python writes."""
    text = ""
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
        return _Found(json.loads(text), text)
    except FileNotFoundError:
        return _Found(None)
    except (OSError, ValueError, RecursionError) as error:
        return _Found(None, text, f"it cannot be read whole: {shown(str(error), 120)}")


def _time_ns(text: Any) -> int | None:
    """Read a local time."""
    try:
        moment = datetime.fromisoformat(text)
        return int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000
    except (TypeError, ValueError, OverflowError, OSError):
        return None
