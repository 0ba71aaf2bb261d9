"""A run as a reader sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from runfolio.model.ids import short
from runfolio.model.names import printable
from runfolio.model.params import unflatten
from runfolio.model.states import RUNNING
from runfolio.query.metrics import Metrics
from runfolio.query.once import once
from runfolio.store.run_row import Row, from_json
from runfolio.store.summary import LAST, MAX, MIN, Packed

if TYPE_CHECKING:
    from runfolio.model.run_state import ArtifactVersion, Attempt, Conflict, DataUse, Lost, Record, RunError, RunState
    from runfolio.query.artifact import Artifact
    from runfolio.query.progress import Progress
    from runfolio.query.series import Series
    from runfolio.query.store import Store
    from runfolio.query.table import Table
    from runfolio.store.run_files import RunFiles

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Run:
    """One run, as the store knew it when it was asked for. Series, tables and records are read anew each time.

    Units: times are UTC.
    """

    def __init__(self, store: Store, row: Row) -> None:
        self._store = store
        self._row = row

    # ---------------------------------------------------------------- who it is, and how it stands

    @property
    def id(self) -> str:
        return self._row.id

    @property
    def name(self) -> str | None:
        return self._row.name

    @property
    def experiment(self) -> str | None:
        return self._row.experiment

    @property
    def status(self) -> str:
        """running, finished, failed, killed; lost where nothing was heard of it any more and it has not told its end."""
        return self._row.status

    @property
    def status_reason(self) -> str | None:
        """Why it has this status, where that is known."""
        return self._row.reason

    @property
    def since(self) -> datetime | None:
        """Since when it is lost: the last sign of life by its own clock."""
        return moment(self._row.since_ns)

    @property
    def created(self) -> datetime | None:
        """When its first attempt began."""
        return moment(self._row.created_ns)

    @property
    def started(self) -> datetime | None:
        """When its latest attempt began."""
        return moment(self._row.started_ns)

    @property
    def ended(self) -> datetime | None:
        """When its latest attempt told its end; None while it has not."""
        return moment(self._row.ended_ns)

    @property
    def duration_s(self) -> float:
        """How long its attempts took together: each to its end, to now while it runs, else to its last sign of life."""
        row = self._row
        if row.started_ns is None:
            return 0.0
        end_ns = row.ended_ns if row.ended_ns is not None else time.time_ns() if row.status == RUNNING else row.last_ns
        return (row.earlier_ns + max(0, end_ns - row.started_ns)) / 1e9

    @property
    def deleted(self) -> bool:
        return bool(self._row.deleted)

    @property
    def archived(self) -> bool:
        return bool(self._row.archived)

    # ---------------------------------------------------------------- what the index keeps

    @once
    def flat_params(self) -> dict[str, Any]:
        """The params by dotted keys."""
        params: dict[str, Any] = from_json(self._heavy("params"))
        return params

    @once
    def params(self) -> dict[str, Any]:
        """The params, nested."""
        flat = self.flat_params
        return unflatten(flat) if "." in "".join(flat) else dict(flat)

    @once
    def _more(self) -> dict[str, Any]:
        more: dict[str, Any] = from_json(self._heavy("more"))
        return more

    @property
    def attempt_count(self) -> int:
        return int(self._more["attempts"])

    @property
    def tags(self) -> dict[str, str]:
        """The tags; one without a value has empty text."""
        return dict(self._more["tags"])

    @property
    def notes(self) -> str:
        return self._more["notes"] or ""

    @once
    def summary(self) -> dict[str, Any]:
        """What was set in `run.summary`, nested."""
        return unflatten(self._more["summary"])

    @property
    def goals(self) -> dict[str, str]:
        """Whether a metric is better low ("min") or high ("max"), where that was declared."""
        return dict(self._more["goals"])

    @property
    def aliases(self) -> list[str]:
        return list(self._more["aliases"])

    @property
    def exit_code(self) -> int | None:
        code: int | None = self._more["exit_code"]
        return code

    @property
    def total_steps(self) -> int | None:
        steps: int | None = self._more["total_steps"]
        return steps

    @property
    def lost_points(self) -> int:
        """How many values its writers could not keep."""
        return int(self._more["lost"][0])

    @property
    def warnings(self) -> list[str]:
        """What a reader of this run should know: disagreement, loss, damage, a copied folder, a part in the spool."""
        return list(self._more["warnings"])

    @property
    def damage(self) -> list[str]:
        """Those of the warnings that tell of journals left out, unreadable or damaged."""
        return self._read(lambda files: list(files.warnings))

    @property
    def copy_of(self) -> str | None:
        """The id of the run whose copied folder this is."""
        found: str | None = self._more["copy_of"]
        return found

    @property
    def spooled_in(self) -> list[str]:
        """Temporary folders that hold a part of it, as its store could not be written."""
        return list(self._more["spooled_in"])

    @once
    def metrics(self) -> Metrics:
        """The metrics by name, each in a few numbers."""
        return Metrics(self.id, Packed(self._heavy("summaries")))

    def _heavy(self, column: str) -> Any:
        found = getattr(self._row, column)
        return found if found is not None else self._store._heavy(self.id, column)

    def _values(self, metric: str, mode: str, at: str) -> list[float]:
        """Give what this run has to offer for the best of a metric, one for each rank; NaN never counts."""
        which = LAST if at == "last" else MIN if mode == "min" else MAX
        return [raw[which] for raw in self.metrics._packed.raw(metric)]

    # ---------------------------------------------------------------- what only the journals tell

    @property
    def folder(self) -> str:
        return self._store._layout.run(self.id)

    @property
    def state(self) -> RunState:
        """Everything that its events tell, read anew."""
        return self._read(lambda files: files.state)

    @property
    def attempts(self) -> list[Attempt]:
        return list(self.state.attempts)

    @property
    def conflicts(self) -> list[Conflict]:
        """Params that two writers of one attempt set to different values."""
        return list(self.state.conflicts)

    @property
    def params_by_attempt(self) -> dict[str, dict[int, Any]]:
        """The params that changed with an attempt: the value from each attempt on."""
        return dict(self.state.params_by_attempt)

    @property
    def artifacts(self) -> list[ArtifactVersion]:
        """Each version of each artifact, in the order they were added."""
        return list(self.state.artifacts)

    def artifact(self, name: str, version: int | None = None) -> Artifact:
        """Give an artifact, to read or copy its bytes; by default the latest version.

        Raises:
            NotFound: no such artifact, or no such version of it; those there are are named.
        """
        from runfolio.query.artifact import Artifact, version_of

        return Artifact(self._store._layout, self.id, version_of(self.artifacts, name, version))

    @property
    def records(self) -> list[Record]:
        """What is not a number, in the order logged."""
        return list(self.state.records)

    @property
    def data(self) -> list[DataUse]:
        """The data it declared to read."""
        return list(self.state.data)

    @property
    def capture(self) -> dict[str, Any]:
        """What was found of its surroundings at the start."""
        return dict(self.state.capture)

    @property
    def output(self) -> dict[str, int]:
        """`size_bytes` of its output and the `cut_bytes` of it that are not kept; empty where the launcher has told neither."""
        return dict(self.state.output)

    @property
    def error(self) -> RunError | None:
        """The exception that ended the latest attempt."""
        return self.state.error

    @property
    def lost(self) -> Lost:
        """What its writers could not keep."""
        return self.state.lost

    @property
    def progress(self) -> Progress:
        """How far it has come and how long it will take."""
        from runfolio.query.progress import progress

        return self._read(lambda files: progress(files, self.total_steps, self.status == RUNNING))

    def series(self, name: str, rank: int | str | None = None) -> Series:
        """Read a metric.

        Args:
            rank: a number; None: the only one there is; "none": of writers without a rank; "all": side by side; "mean": over the ranks at each step.

        Raises:
            MetricNotFound: no such metric, or no such rank of it. RankRequired: several ranks, and none asked for.
        """
        return self._store._series(self, name, rank)

    def _several(self, names: Sequence[str], rank: int | str | None) -> list[Series]:
        """Read several metrics, each as `series` gives it."""
        return self._store._several(self, names, rank)

    def table(self, metrics: list[str] | None = None) -> Table:
        """Read several metrics, all by default: one row for each step (and rank)."""
        from runfolio.query.table import table

        return self._read(lambda files: table(files, metrics, self.id))

    def _read(self, act: Callable[[RunFiles], T]) -> T:
        return self._store._read(self.id, act)

    def _repr_html_(self) -> str:
        """Show it in a notebook: how it stands, its params, a small curve for each metric."""
        from runfolio.query.html import run_html

        return run_html(self)

    def __repr__(self) -> str:
        return f"<Run {short(self.id)} {printable(self.name or '')} {self.status}>".replace("  ", " ")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and (self.id, self._row.version) == (other.id, other._row.version)

    def __hash__(self) -> int:
        return hash(self.id)


def moment(time_ns: int | None) -> datetime | None:
    """Give a time as a datetime in UTC, to the microsecond."""
    return None if time_ns is None else _EPOCH + timedelta(microseconds=time_ns // 1000)
