"""Read what vibe-rl has left: run folders with `logs/metrics.jsonl`, or metrics files on their own.

A line that we would write in the same way is a call. Any other one comes as a record that keeps its text, so that the file can be appended to.
Source: vibe-rl, "Metrics & Logging", Where metrics live; its program writes NaN bare, and its last line may be torn.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from runfolio.convert.foreign import ForeignArtifact, ForeignCall, ForeignRecord, ForeignRun, Skipped
from runfolio.convert.strict import restored
from runfolio.convert.vibe_rl_claims import KEPT, name_to_claim, writer_of
from runfolio.convert.vibe_rl_folder import CONFIG, METRICS, WANDB_ID, is_run_folder, names_of, started_s
from runfolio.convert.vibe_rl_lines import line_of, numbers_of, record_of, step_of
from runfolio.errors import UsageError
from runfolio.model.ids import short
from runfolio.model.leaf import plain
from runfolio.model.params import flatten
from runfolio.store.layout import find as find_store

SYSTEM = "vibe-rl"
_LINES = ".jsonl"
_APART_NS = 10_000  # lines of the same millisecond keep their order by it


def find(path: str) -> Iterator[ForeignRun | Skipped]:
    """Find the runs at a path: a folder of runs, a run's folder, its `logs`, or a metrics file."""
    path = os.path.abspath(path)
    if not os.path.isdir(path):
        yield _unless_ours(path)
        return
    files = list(_files(path))
    if not files:
        yield Skipped(path, f"there is no {METRICS} in it, nor in the logs folder of a run")
    for file in files:
        yield _unless_ours(file)


def _files(folder: str) -> Iterator[str]:
    """List the metrics files of a folder, whichever it is; those of runs before those that lie about."""
    logs = _lines_in(os.path.join(folder, "logs"))
    if logs or is_run_folder(folder):
        yield from logs or [os.path.join(folder, "logs", METRICS)]
        return
    for name in _listed(folder):
        inner = os.path.join(folder, name)
        if name == "runs" or _lines_in(os.path.join(inner, "logs")) or is_run_folder(inner):
            yield from _files(inner)
    yield from _lines_in(folder)


def _lines_in(folder: str) -> list[str]:
    return [os.path.join(folder, name) for name in _listed(folder) if name.endswith(_LINES)]


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _unless_ours(path: str) -> ForeignRun | Skipped:
    ours = writer_of(find_store(), os.path.realpath(path))
    if ours is not None:
        return Skipped(path, f"runfolio wrote it: it is run {short(ours)} of this store")
    return read_run(path)


# ---------------------------------------------------------------------------------------------------------- one run


def read_run(path: str) -> ForeignRun | Skipped:
    """Read the run that is kept in a metrics file, with what lies around it in a run's folder."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        modified_ns = os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return Skipped(path, "there is no such file")
    except OSError as unreadable:
        return Skipped(path, f"it cannot be read: {unreadable.strerror}")
    reading = _Reading(path, started_s(path))
    lines = data.split(b"\n")
    for number, line in enumerate(lines[:-1] if not lines[-1] else lines, 1):
        reading.take(number, line, number == len(lines))
    if data.strip() and not reading.records_seen:
        return Skipped(path, "no line of it is a JSON object")
    return reading.run(modified_ns, sha256(lines[0]).hexdigest()[:16])


class _Reading:
    """What has been read of a metrics file."""

    def __init__(self, path: str, started_s: float | None) -> None:
        self.path = path
        self.records_seen = 0
        self._started_s = started_s
        self._calls: list[ForeignCall] = []
        self._records: list[ForeignRecord] = []
        self._skipped: list[Skipped] = []
        self._at_ns = 0  # of the last line, since the start
        self._begin_ns = self._wall_ns = 0  # of the logger that wrote it: each begins with 0

    def take(self, number: int, line: bytes, last: bool) -> None:
        """Take a line in."""
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return self._skip(number, "is no UTF-8")
        record = record_of(text)
        if record is None:
            self._at_ns += _APART_NS
            if text.strip():
                self._skip(number, "is torn" if last else "is no JSON object")
            return self._keep(number, None, {"raw": text})
        self.records_seen += 1
        self._pass_time(record.get("wall_time"))
        step, numbers = step_of(record), numbers_of(record)
        if numbers and line_of(numbers if step is None else {"step": step, **numbers}) == text:
            self._calls.append(ForeignCall(step, numbers, self._at_ns))
            return
        raw = {} if line_of(record) == text else {"raw": text}
        self._keep(number, step, {"line": record, "beside": list(numbers), **raw}, numbers)

    def _keep(
        self, number: int, step: int | None, value: dict[str, Any], numbers: dict[str, Any] | None = None
    ) -> None:
        """Keep a line as a record, its numbers beside it."""
        try:
            plain([value], "line")
        except UsageError as refused:
            self._skip(number, f"cannot be kept whole: {refused}")
        else:
            self._records.append(ForeignRecord(step, value, self._at_ns))
        if numbers:
            self._calls.append(ForeignCall(step, numbers, self._at_ns + 1))  # the record comes first

    def _skip(self, number: int, what: str) -> None:
        self._skipped.append(Skipped(self.path, f"line {number} {what}"))

    def _pass_time(self, wall_time: object) -> None:
        """Set the time of a line: later than the one before, and by its `wall_time` where it has one."""
        after = self._at_ns + _APART_NS
        if isinstance(wall_time, (int, float)) and 0 <= wall_time < 1e9:
            wall_ns = int(wall_time * 1e9)
            if wall_ns < self._wall_ns:  # another logger went on with the file
                self._begin_ns = self._at_ns
            self._wall_ns = wall_ns
            after = max(after, self._begin_ns + wall_ns)
        self._at_ns = after

    def run(self, modified_ns: int, first: str) -> ForeignRun:
        """Give all that was read as a run, with times from its start on."""
        names, root = names_of(self.path), os.path.dirname(os.path.dirname(self.path))
        started_ns = modified_ns - self._at_ns if self._started_s is None else int(self._started_s * 1e9)
        folder = _Folder(root) if names.in_folder else None
        main = os.path.basename(self.path) == METRICS
        return ForeignRun(
            system=SYSTEM,
            identity=f"{names.name}:{first}",
            name=names.name,
            experiment=names.experiment,
            params=folder.params if folder else {},
            tags=folder.tags if folder else {},
            calls=[call._replace(time_ns=started_ns + (call.time_ns or 0)) for call in self._calls],
            records=[record._replace(time_ns=started_ns + (record.time_ns or 0)) for record in self._records],
            artifacts=folder.artifacts if folder and main else (),
            created_ns=started_ns,
            ended_ns=started_ns + self._at_ns,
            claims=[(KEPT, name_to_claim(find_store(), os.path.realpath(self.path)))],
            sources=[self.path, *(folder.sources if folder else ())],
            skipped=[*self._skipped, *(folder.skipped if folder else ())],
        )


class _Folder:
    """What lies in a run's folder beside its metrics."""

    def __init__(self, root: str) -> None:
        self.sources: list[str] = []
        self.skipped: list[Skipped] = []
        self.params = self._params(os.path.join(root, CONFIG))
        self.tags = self._tags(os.path.join(root, WANDB_ID))
        self.artifacts = self._artifacts(os.path.join(root, "artifacts"))
        for name in ("checkpoints", "videos"):
            self._leave(os.path.join(root, name))

    def _params(self, path: str) -> dict[str, Any]:
        text = self._read(path)
        if text is None:
            return {}
        try:
            found = restored(json.loads(text))
            if not isinstance(found, dict):
                raise ValueError("it is no JSON object")
            flatten(found)
        except (ValueError, RecursionError) as bad:
            self.skipped.append(Skipped(path, f"it cannot become params: {bad}"))
            return {}
        return found

    def _tags(self, path: str) -> dict[str, str]:
        text = (self._read(path) or "").strip()
        return {"wandb_id": text} if text else {}

    def _artifacts(self, folder: str) -> list[ForeignArtifact]:
        return [ForeignArtifact(path, os.path.relpath(path, folder)) for path in _files_below(folder)]

    def _leave(self, folder: str) -> None:
        count = len(_files_below(folder))
        if count:
            files = "1 file stays" if count == 1 else f"{count} files stay"
            self.skipped.append(Skipped(folder, f"{files} where they are; add what you want kept as artifacts"))

    def _read(self, path: str) -> str | None:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as unreadable:
            self.skipped.append(Skipped(path, f"it cannot be read: {unreadable}"))
            return None
        self.sources.append(path)
        return text


def _files_below(folder: str) -> list[str]:
    return sorted(os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
