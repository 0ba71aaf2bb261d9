"""Read the JSON files that the NTN trackers wrote: one per seed, `{experiment_name}_seed{n}.json`.

They hold no times, so a run's are those of its file. What is bare NaN, torn, missing or no number is taken as far as it goes, and told.

Source: NTN experiment tracking, "File Tracking"; later versions of the program add `run_name`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from runfolio.convert.foreign import ForeignCall, ForeignRecord, ForeignRun, ForeignView, Skipped
from runfolio.convert.put import BESIDE
from runfolio.convert.strict import restored
from runfolio.convert.torn_json import read_json
from runfolio.errors import InvalidValue, UsageError
from runfolio.model.ids import short
from runfolio.model.leaf import Value
from runfolio.model.names import check_key, shown
from runfolio.model.numbers import INT64_MAX, INT64_MIN
from runfolio.model.params import KeyTree, flatten
from runfolio.model.states import FAILED, FINISHED
from runfolio.store.claims import owner_of
from runfolio.store.layout import find as find_store

FORMAT = "ntn"
DEFAULT_FOLDER = "experiment_logs"
_INT_EXACT = 2**53


def find(path: str) -> Iterator[ForeignRun | Skipped]:
    """Read the runs of a log folder, of the folder that it lies in, or of one file."""
    if os.path.isdir(path):
        inner = os.path.join(path, DEFAULT_FOLDER)
        for folder in (path, inner) if os.path.isdir(inner) else (path,):
            for name in sorted(os.listdir(folder)):
                if name.endswith(".json") and os.path.isfile(os.path.join(folder, name)):
                    yield _read(os.path.join(folder, name))
    elif os.path.exists(path):
        yield _read(path)
    else:
        yield Skipped(path, "no such file or folder")


def _read(path: str) -> ForeignRun | Skipped:
    ours = owner_of(find_store(), FORMAT, os.path.realpath(path))
    if ours is not None and not os.path.exists(path + BESIDE):  # there, ours had to give way
        return Skipped(
            path, f"runfolio wrote it: it is a run of this store already, {short(ours)} or a later one of that name"
        )
    try:
        with open(path, "rb") as file:
            content = file.read()
            mtime_ns = os.fstat(file.fileno()).st_mtime_ns
    except OSError as failed:
        return Skipped(path, f"cannot be read: {failed.strerror}")
    found, trouble = read_json(content)
    if not isinstance(found, dict) or not isinstance(found.get("metrics_log"), list):
        return Skipped(path, trouble or "no file of the NTN trackers: it has no metrics_log")
    try:
        return _Found(os.path.abspath(path), found, [trouble] if trouble else []).run(mtime_ns)
    except RecursionError:
        return Skipped(path, "nested too deep")


class _Found:
    """One file, and what of it could not be taken over."""

    def __init__(self, path: str, found: dict[str, Any], troubles: list[str]) -> None:
        self._path, self._troubles = path, troubles
        self._log: list[Any] = found["metrics_log"]
        self._stem = os.path.basename(path).removesuffix(".json")
        self._config, self._hparams, self._summary = (
            self._part(found, part) for part in ("config", "hparams", "summary")
        )
        self._name = self._name_in(found)

    def run(self, time_ns: int) -> ForeignRun:
        calls, records = self._entries()
        params = self._flat({"config": self._config, "hparams": self._hparams})
        error = self._summary.get("error")
        status = FAILED if error else FINISHED if self._summary else None  # without a summary, nobody knows
        shape = {"name": self._name, "config": self._config, "hparams": self._hparams, "summary": self._summary}
        return ForeignRun(
            system=FORMAT,
            identity=self._identity(),
            name=self._name,
            experiment=re.sub(r"_seed\d+$", "", self._name) or self._name,
            aliases=[self._stem] if self._stem != self._name else [],
            params=params,
            summary=self._flat({"summary": self._summary}),
            calls=calls,
            records=records,
            status=status,
            reason=str(error)[:500] if error else None,
            created_ns=time_ns,
            ended_ns=time_ns,
            views=[ForeignView(FORMAT, self._path, shape)],
            sources=[self._path],
            skipped=[Skipped(self._path, text) for text in self._troubles],
        )

    def _identity(self) -> str:
        """Name the run by how it begins: the file has no id and no times, may lie anywhere, and may still grow."""
        begin = json.dumps([self._config, self._hparams, self._log[:1]], sort_keys=True)
        return f"{self._name} {sha256(begin.encode(errors='surrogatepass')).hexdigest()[:16]}"

    def _name_in(self, found: Mapping[str, Any]) -> str:
        name, run_name = found.get("experiment_name"), found.get("run_name")
        if not _is_key(name):
            self._troubles.append("it has no experiment_name; the file's name is taken")
            return self._stem
        return f"{name}_{run_name}" if _is_key(run_name) else str(name)

    def _part(self, found: Mapping[str, Any], part: str) -> dict[str, Any]:
        value = found.get(part)
        if isinstance(value, dict):
            return dict(restored(value))
        self._troubles.append(f"it has no {part}" if value is None else f"{part} is no object, and is left out")
        return {}

    def _flat(self, parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Value]:
        """Put parts together under their own names; one that would be a value and a branch, under its part's."""
        flat: dict[str, Value] = {}
        tree = KeyTree()
        for part, values in parts.items():
            for key, value in values.items():
                new = _taken({key: value}, tree) or _taken({part: {key: value}}, tree)
                if new is None:
                    self._troubles.append(f"{part} {shown(key)} cannot be kept, and is left out")
                flat |= new or {}
        return flat

    def _entries(self) -> tuple[list[ForeignCall], list[ForeignRecord]]:
        calls, records = [], []
        for place, row in enumerate(self._log):
            if not isinstance(row, dict):
                self._troubles.append(f"metrics_log[{place}] is no object, and is left out")
                continue
            step = _step(row.get("step"))
            row = {
                key: restored(value)
                for key, value in row.items()
                if key != "step" or (value is not None and step is None)
            }
            numbers = {key: value for key, value in row.items() if key != "step" and _is_metric(key, value)}
            if numbers:
                calls.append(ForeignCall(step, numbers))
            if len(numbers) < len(row) or not row:
                records.append(ForeignRecord(step, {key: value for key, value in row.items() if key not in numbers}))
        return calls, records


def _taken(values: Mapping[str, Any], tree: KeyTree) -> dict[str, Value] | None:
    try:
        flat = flatten(values)
        tree.add_all(flat)
    except (InvalidValue, UsageError):
        return None
    return flat


def _step(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and INT64_MIN <= value <= INT64_MAX:
        return value
    return None


def _is_metric(key: str, value: Any) -> bool:
    exact = isinstance(value, float) or (isinstance(value, int) and -_INT_EXACT <= value <= _INT_EXACT)
    return exact and _is_key(key)


def _is_key(text: Any) -> bool:
    try:
        check_key(text)
    except InvalidValue:
        return False
    return True
