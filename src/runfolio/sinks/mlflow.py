"""Feed an MLflow tracking store: SQLite, a server, Databricks.

Source: the mlflow package, 3.17; its limits: `mlflow.utils.validation`.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from runfolio.sinks.final_steps import FinalSteps
from runfolio.sinks.memory import Memory
from runfolio.sinks.sink import About, flat, shown_name

if TYPE_CHECKING:
    from runfolio.store.follow import Call

T = TypeVar("T")

NAME_MAX = 250
PARAM_MAX = 6000
TAG_MAX = 8000
METRICS_AT_ONCE = 1000
PARAMS_AT_ONCE = 100
DEFAULT_URI = "sqlite:///mlflow.db"
RUN_TAG = "runfolio.run_id"

_STATUS = {"finished": "FINISHED", "killed": "KILLED", "running": "RUNNING"}  # all others: FAILED
_REFUSED = re.compile(r"[^\w. /:-]", re.ASCII)


class MlflowSink:
    """An MLflow run; params, metrics with step and time, the rest as tags.

    MLflow's key of a point holds its time (in ms) and its value, so feeding it twice does no harm.

    Args:
        tracking_uri: by default MLFLOW_TRACKING_URI, else `sqlite:///mlflow.db` in the script's working directory.
        experiment: instead of the run's own.
        name: instead of the run's own.
    """

    def __init__(self, tracking_uri: str | None = None, experiment: str | None = None, name: str | None = None) -> None:
        self._uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
        self._experiment, self._name = experiment, name
        self._id = ""
        self._params: dict[str, str] = {}
        self._tags: set[str] = set()  # the run's own, as they are called there

    @property
    def target(self) -> str:
        """The store, without a password that its address may hold."""
        return re.sub(r"//[^/@]*@", "//", self._uri)

    def open(self, about: About) -> None:
        """Begin the MLflow run, or open the one that an earlier attempt began."""
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        from mlflow import entities
        from mlflow.tracking import MlflowClient

        self._entities = entities
        self._client = MlflowClient(tracking_uri=self._uri)
        memory = Memory(about.folder, "mlflow", self.target)
        if not self._id:  # what comes after it may fail, and all of this be tried again
            self._id = self._known_run(memory.get("id")) or self._new_run(about)
        memory.set(id=self._id)
        self._finals = FinalSteps(memory)
        self._params = dict(self._client.get_run(self._id).data.params)
        self._client.update_run(self._id, status="RUNNING")
        self._tag({RUN_TAG: about.run_id, "runfolio.attempt": str(about.attempt), "runfolio.status": "running"})
        self.describe(about)
        self.params(about.params)

    def _known_run(self, run_id: str | None) -> str | None:
        from mlflow.exceptions import MlflowException

        if run_id is None:
            return None
        try:
            run = self._client.get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":  # it was purged there
                return None
            raise
        return run_id if run.info.lifecycle_stage == "active" else None

    def _new_run(self, about: About) -> str:
        run = self._client.create_run(
            self._experiment_id(self._experiment or about.experiment or "Default"),
            start_time=about.created_ns // 1_000_000,
            run_name=self._name or about.name or about.run_id[:8],
        )
        found: str = run.info.run_id
        return found

    def _experiment_id(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                created: str = self._client.create_experiment(name)
                return created
            except MlflowException:  # another feed was first
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        experiment_id: str = found.experiment_id
        return experiment_id

    def params(self, nested: Mapping[str, Any]) -> None:
        """Set those that are new; MLflow never changes a param, so a later value is the tag `param.<key>`."""
        texts = {allowed_name(key): _text(value) for key, value in flat(nested).items()}
        new = {key: text for key, text in texts.items() if key not in self._params}
        for some in _batches(new.items(), PARAMS_AT_ONCE):
            batch = [self._entities.Param(key, _cut(text, PARAM_MAX)) for key, text in some]
            self._client.log_batch(self._id, params=batch)
            self._params.update((param.key, param.value) for param in batch)
        self._tag({f"param.{key}": text for key, text in texts.items() if self._params[key] != _cut(text, PARAM_MAX)})

    def describe(self, about: About) -> None:
        """Set name, notes and tags."""
        name = self._name or about.name
        facts = {allowed_name(key): value for key, value in about.tags.items()}
        for key in self._tags - facts.keys():
            self._client.delete_tag(self._id, key)
            self._tags.discard(key)
        self._tags |= facts.keys()
        if name:
            facts["mlflow.runName"] = name
        if about.notes is not None:
            facts["mlflow.note.content"] = about.notes
        self._tag(facts)

    def log(self, calls: Sequence[Call]) -> None:
        """Log each value with its step and time."""
        self._finals.begin()
        for batch in _batches(self._metrics(calls), METRICS_AT_ONCE):
            self._client.log_batch(self._id, metrics=batch)
        self._finals.keep()

    def _metrics(self, calls: Sequence[Call]) -> Iterator[Any]:
        metric = self._entities.Metric
        for call in calls:
            for name, value in call.values.items():
                shown = allowed_name(shown_name(name, call))
                step = self._finals.of(shown) if call.step is None else call.step
                yield metric(shown, float(value), call.time_ns // 1_000_000, step)

    def record(self, step: int | None, value: Any, time_ns: int) -> None:
        """Keep the latest as the tag `record`: MLflow has no series of texts."""
        self._tag({"record": _text({"step": step, "value": value})})

    def summary(self, values: Mapping[str, Any]) -> None:
        """Set each as the tag `summary.<key>`."""
        self._tag({f"summary.{key}": _text(value) for key, value in values.items()})

    def rewind(self, step: int) -> None:
        """Do nothing: MLflow forgets no point; of several at one step it shows the latest in time."""

    def close(self, status: str, reason: str | None) -> None:
        """Set the status; MLflow knows RUNNING, FINISHED, KILLED, and FAILED for all others."""
        self._tag({"runfolio.status": status, **({"runfolio.reason": reason} if reason else {})})
        self._client.set_terminated(self._id, _STATUS.get(status, "FAILED"))

    def _tag(self, tags: Mapping[str, str]) -> None:
        for some in _batches(tags.items(), PARAMS_AT_ONCE):
            batch = [self._entities.RunTag(allowed_name(key), _cut(text, TAG_MAX)) for key, text in some]
            self._client.log_batch(self._id, tags=batch)


def allowed_name(name: str) -> str:
    """Name a series, param or tag so that MLflow takes it; a name that had to change ends in six digits of its hash."""
    changed = _REFUSED.sub("_", name)
    if posixpath.normpath(changed) != changed or changed.startswith(("..", "/")) or changed == ".":
        changed = "/".join(part.strip(".") or "_" for part in changed.split("/"))  # it becomes a path in its store
    if changed == name and len(name) <= NAME_MAX:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{changed[: NAME_MAX - 7]}.{digest}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size - 1] + "…"


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
