"""Read what yanex wrote: `experiments/<id>/` with metrics.json, metadata.json, params.yaml and artifacts/.

What the program really wrote is read too: times without a zone, which are UTC; `last_updated` on merged records; the older names results.json and
config.yaml; `archived/`. Bare NaN, missing fields and a file that breaks off are no obstacle: what is there is taken over, what is not is told.
A metrics.json that a run of this store keeps is left out: its run is here already.

Source: the yanex document, "Metrics Storage" (tests/dialects/documents/yanex.md); for the files beside metrics.json, yanex's own description of
an experiment's folder.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from runfolio.convert.foreign import ForeignArtifact, ForeignRecord, ForeignRun, Skipped
from runfolio.convert.strict import restored
from runfolio.convert.view import snapshot
from runfolio.convert.yanex_metrics import Points, records_in, time_ns
from runfolio.errors import RunfolioError
from runfolio.model.leaf import plain
from runfolio.model.names import check_key, shown
from runfolio.model.params import flatten
from runfolio.model.states import FAILED, FINISHED, KILLED
from runfolio.store.layout import find as find_store

SYSTEM = "yanex"
METRICS, METADATA = ("metrics.json", "results.json"), "metadata.json"
PARAMS = ("params.yaml", "config.yaml", "config.json")
ARTIFACTS, ARCHIVED = "artifacts", "archived"

_STATUSES = {"completed": FINISHED, "failed": FAILED, "cancelled": KILLED, "killed": KILLED}
_TAKEN = frozenset(
    (
        "id",
        "name",
        "status",
        "tags",
        "description",
        "created_at",
        "started_at",
        "completed_at",
        "script_path",
        "saved_at",
    )
)


def find(path: str) -> Iterator[ForeignRun | Skipped]:
    """Find the experiments at a path: `~/.yanex`, its `experiments`, one experiment's folder, or its metrics.json."""
    if os.path.basename(path) in METRICS and os.path.isfile(path):
        path = os.path.dirname(path) or "."
    if _is_experiment(path):
        yield _read(path)
        return
    below = os.path.join(path, "experiments")
    found = list(_folders(below if os.path.isdir(below) else path))
    if not found:
        yield Skipped(path, "no experiments are below it; name ~/.yanex, its experiments folder, or one experiment")
    for folder in found:
        if _is_experiment(folder):
            yield _read(folder)
        else:
            yield Skipped(folder, f"no experiment: it has neither {METRICS[0]} nor {METADATA}")


def _is_experiment(folder: str) -> bool:
    return any(os.path.isfile(os.path.join(folder, name)) for name in (*METRICS, METADATA))


def _folders(root: str) -> Iterator[str]:
    """Give the folders below, those that yanex had put into its archive at the end."""
    try:
        folders = sorted(entry.path for entry in os.scandir(root) if entry.is_dir())
    except OSError:
        return
    archive = os.path.join(root, ARCHIVED)
    yield from (folder for folder in folders if folder != archive)
    if archive in folders:
        yield from _folders(archive)


def _read(folder: str) -> ForeignRun | Skipped:
    folder = os.path.abspath(folder)
    ours = _kept_by(folder)
    if ours is not None:
        return Skipped(folder, f"it is the view of run {ours[:8]}, which is in this store already")
    return _Experiment(folder).run()


def _kept_by(folder: str) -> str | None:
    """Give the run of this store whose view lies in the folder; its name is then the beginning of that run's id."""
    layout, name = find_store(), os.path.basename(folder)
    try:
        ids = [run_id for run_id in os.listdir(layout.runs) if len(name) >= 8 and run_id.startswith(name)]
    except OSError:
        return None
    for run_id in ids:
        for view in snapshot(layout, run_id).state.views:
            if view.what == SYSTEM and os.path.realpath(os.path.dirname(view.path)) == os.path.realpath(folder):
                return run_id
    return None


class _Experiment:
    """One experiment's folder, and what of it could not be taken over."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.sources: list[str] = []
        self.skipped: list[Skipped] = []
        self.metadata = self._metadata()

    def run(self) -> ForeignRun:
        told = self.metadata
        identity = self._text("id") or os.path.basename(self.folder)
        created = self._text("created_at")
        points = Points(self._records(), self._skip_in_metrics)
        return ForeignRun(
            system=SYSTEM,
            identity=f"{identity} {created}" if created else identity,
            name=self._name("name"),
            experiment=self._experiment(),
            aliases=[identity],
            params=self._params(),
            tags=self._tags(),
            notes=self._text("description"),
            calls=points.calls,
            records=[*self._other_metadata(), *points.records],
            artifacts=list(self._artifacts()),
            status=_STATUSES.get(str(told.get("status"))),
            reason=next((str(told[key]) for key in ("error_message", "cancellation_reason") if told.get(key)), None),
            created_ns=next(filter(None, (time_ns(told.get(key)) for key in ("created_at", "started_at"))), None),
            ended_ns=time_ns(told.get("completed_at")),
            sources=self.sources,
            skipped=[*self.skipped, *self._not_known()],
        )

    # ------------------------------------------------------------------------------------------------- the files

    def _metadata(self) -> dict[str, Any]:
        found = self._json(METADATA)
        if found is None or isinstance(found, dict):
            return found or {}
        self._skip(METADATA, "it holds no object")
        return {}

    def _records(self) -> list[Any]:
        """Read the metrics; of a file that breaks off what stands before."""
        present = [name for name in METRICS if os.path.isfile(os.path.join(self.folder, name))]
        for name in present[1:]:
            self._skip(name, f"{present[0]} is its newer form")
        text = self._read(present[0]) if present else None
        if text is None:
            return []
        found, wrong = records_in(text)
        if wrong:
            self._skip(present[0], wrong)
        return found

    def _params(self) -> dict[str, Any]:
        for name in PARAMS:
            if os.path.isfile(os.path.join(self.folder, name)):
                found = self._json(name) if name.endswith(".json") else self._yaml(name)
                return self._keepable(name, found)
        return {}

    def _yaml(self, name: str) -> Any:
        import yaml

        text = self._read(name)
        try:
            return None if text is None else yaml.safe_load(text)
        except yaml.YAMLError as bad:
            self._skip(name, f"no YAML: {shown(bad, 120)}")
            return None

    def _json(self, name: str) -> Any:
        text = self._read(name) if os.path.isfile(os.path.join(self.folder, name)) else None
        try:
            return None if text is None else json.loads(text)
        except (ValueError, RecursionError) as bad:
            self._skip(name, f"no JSON: {shown(bad, 120)}")
            return None

    def _read(self, name: str) -> str | None:
        """Read a file as text, to where it stops being UTF-8."""
        path = os.path.join(self.folder, name)
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as failed:
            self._skip(name, f"it cannot be read: {failed.strerror}")
            return None
        self.sources.append(path)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as bad:
            self._skip(name, f"no UTF-8 from byte {bad.start} on")
            return data[: bad.start].decode("utf-8-sig")

    def _artifacts(self) -> Iterator[ForeignArtifact]:
        root = os.path.join(self.folder, ARTIFACTS)
        for folder, folders, names in os.walk(root):
            folders.sort()
            for path in (os.path.join(folder, name) for name in sorted(names)):
                name = os.path.relpath(path, root).replace(os.sep, "/")
                if os.path.isfile(path) and os.access(path, os.R_OK):
                    yield ForeignArtifact(path, name)
                else:
                    self._skip(f"{ARTIFACTS}/{name}", "it cannot be read")

    def _not_known(self) -> Iterator[Skipped]:
        known = {*METRICS, METADATA, *PARAMS, ARTIFACTS}
        for name in sorted(os.listdir(self.folder)):
            if name not in known:
                yield Skipped(os.path.join(self.folder, name), "not taken over: no file that this importer knows")

    # ------------------------------------------------------------------------------------------------- the metadata

    def _text(self, key: str) -> str | None:
        found = self.metadata.get(key)
        if found is None or isinstance(found, str):
            return found or None
        self._skip(METADATA, f"{key} is no text: {shown(found)}")
        return None

    def _name(self, key: str) -> str | None:
        found = self._text(key)
        return found if found is not None and self._is_key(found, METADATA) else None

    def _experiment(self) -> str | None:
        """Give the script's name: runs of one script are one experiment, as in ours."""
        script = self._text("script_path")
        name = os.path.splitext(re.split(r"[/\\]", script)[-1])[0] if script else None
        return name or None

    def _tags(self) -> dict[str, str]:
        archived = {ARCHIVED: ""} if os.path.basename(os.path.dirname(self.folder)) == ARCHIVED else {}
        told = self.metadata.get("tags") or []
        if not isinstance(told, list):
            self._skip(METADATA, f"tags is no list: {shown(told)}")
            told = []
        return {**{tag: "" for tag in told if self._is_key(tag, METADATA)}, **archived}

    def _other_metadata(self) -> list[ForeignRecord]:
        """Keep what has no place of its own, as git and environment, in a record."""
        others = restored(
            {key: value for key, value in self.metadata.items() if key not in _TAKEN and value is not None}
        )
        others = {key: value for key, value in others.items() if self._is_plain(key, value, METADATA)}
        return [ForeignRecord(None, {"metadata": others}, time_ns(self.metadata.get("created_at")))] if others else []

    # ------------------------------------------------------------------------------------------------- what can be kept

    def _keepable(self, name: str, found: Any) -> dict[str, Any]:
        if not isinstance(found, dict):
            if found is not None:
                self._skip(name, "it holds no params, which are names and values")
            return {}
        kept: dict[str, Any] = {}
        for key, value in restored(found).items():
            try:
                flatten({**kept, key: value})
            except RunfolioError as refused:
                self._skip(name, str(refused))
            else:
                kept[key] = value
        return kept

    def _is_key(self, text: Any, name: str) -> bool:
        try:
            check_key(text)
        except RunfolioError as refused:
            self._skip(name, str(refused))
            return False
        return True

    def _is_plain(self, key: str, value: Any, name: str) -> bool:
        try:
            plain([value], key)
        except RunfolioError as refused:
            self._skip(name, str(refused))
            return False
        return True

    def _skip(self, name: str, reason: str) -> None:
        self.skipped.append(Skipped(os.path.join(self.folder, name), reason))

    def _skip_in_metrics(self, reason: str) -> None:
        self._skip(METRICS[0], reason)
