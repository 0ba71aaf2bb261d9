"""What is known about a run, besides its points."""

from __future__ import annotations

from typing import Any, NamedTuple

from runfolio.model.leaf import Value


class Attempt(NamedTuple):
    """One go at the run: the first, or one after `resume`."""

    number: int
    started_ns: int
    ended_ns: int | None = None
    status: str | None = None  # as declared by the run itself or its launcher; None while neither has
    reason: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    rewind_to: int | None = None
    command: list[str] | None = None
    error: RunError | None = None


class RunError(NamedTuple):
    """The exception that ended an attempt."""

    kind: str
    message: str
    traceback: str


class ArtifactVersion(NamedTuple):
    """One version of an artifact; the versions of a name count from 1."""

    name: str
    version: int
    sha256: str
    size_bytes: int
    step: int | None
    media: str | None
    time_ns: int
    attempt: int


class Record(NamedTuple):
    """What is not a number, at a step or none."""

    step: int | None
    value: Value
    time_ns: int
    attempt: int
    rank: int | None


class DataUse(NamedTuple):
    """Data that the run declared to read."""

    path: str
    size_bytes: int | None
    sha256: str | None
    kind: str | None
    time_ns: int
    attempt: int


class Kept(NamedTuple):
    """A rendering that the run keeps up to date (a view), or another tracker that it is fed to (a sink)."""

    what: str  # the view's format, the sink's kind
    path: str  # of a view: the absolute path of what is rendered; empty for a sink
    options: dict[str, Any]
    attempt: int  # the latest that asked for it


class Sent(NamedTuple):
    """What a sink has taken of an attempt, as it was told at the end."""

    sink: str
    sent: int
    dropped: int
    error: str | None
    attempt: int


class Conflict(NamedTuple):
    """Two writers of one attempt set a param to different values: the earlier one is kept."""

    key: str
    kept: Value
    refused: Value
    attempt: int


class Lost(NamedTuple):
    """What the writers of a run could not keep, added up."""

    points: int = 0
    calls: int = 0
    events: int = 0
    causes: tuple[str, ...] = ()
    since_ns: int | None = None


class RunState:
    """The fold of a run's events: who it is, what was set, how it went. `fold` makes it."""

    __slots__ = (
        "aliases",
        "archived",
        "artifacts",
        "attempts",
        "capture",
        "capture_first",
        "conflicts",
        "created_ns",
        "data",
        "deleted",
        "experiment",
        "experiment_by_default",
        "experiment_id",
        "goals",
        "lost",
        "metric_names",
        "name",
        "notes",
        "oddities",
        "output",
        "params",
        "params_by_attempt",
        "records",
        "rewinds",
        "sent",
        "sinks",
        "summary",
        "tags",
        "total_steps",
        "uncertain",
        "views",
    )

    def __init__(self) -> None:
        self.experiment: str | None = None
        self.experiment_id: str | None = None
        self.experiment_by_default = False  # nobody chose it: the script may
        self.name: str | None = None
        self.aliases: list[str] = []
        self.created_ns: int | None = None
        self.attempts: list[Attempt] = []
        self.rewinds: list[
            tuple[int, int]
        ] = []  # (attempt, step): hides the points of lower attempts from that step on
        # As shown: the latest attempt's value, in an attempt the earliest; dotted keys.
        self.params: dict[str, Value] = {}
        # Only the keys whose value changed: {key: {attempt from which it holds: value}}.
        self.params_by_attempt: dict[str, dict[int, Value]] = {}
        self.conflicts: list[Conflict] = []
        self.summary: dict[str, Value] = {}
        self.tags: dict[str, str] = {}
        self.notes: str | None = None
        self.goals: dict[str, str] = {}
        self.metric_names: dict[str, str] = {}  # as logged: as shown
        self.total_steps: int | None = None
        self.uncertain: list[str] = []  # journals of which a sync failed
        self.views: list[Kept] = []
        self.sinks: list[Kept] = []
        self.sent: list[Sent] = []
        self.records: list[Record] = []
        self.artifacts: list[ArtifactVersion] = []
        self.data: list[DataUse] = []
        self.capture_first: dict[str, Any] = {}  # each field as first told
        self.capture: dict[str, Any] = {}  # each field as last told
        self.output: dict[str, int] = {}  # size_bytes, cut_bytes of output.log
        self.lost = Lost()
        self.archived = False
        self.deleted = False
        self.oddities = 0  # events of a known type that make no sense, and are left out

    @property
    def status_declared(self) -> str | None:
        """How the latest attempt ended by its own or its launcher's word; None while it has no end."""
        return self.attempts[-1].status if self.attempts else None

    @property
    def reason(self) -> str | None:
        """Why the latest attempt ended so."""
        return self.attempts[-1].reason if self.attempts else None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the latest attempt's script."""
        return self.attempts[-1].exit_code if self.attempts else None

    @property
    def error(self) -> RunError | None:
        """The exception that ended the latest attempt."""
        return self.attempts[-1].error if self.attempts else None

    @property
    def started_ns(self) -> int | None:
        """When the latest attempt began."""
        return self.attempts[-1].started_ns if self.attempts else None

    @property
    def ended_ns(self) -> int | None:
        """When the latest attempt declared its end."""
        return self.attempts[-1].ended_ns if self.attempts else None

    def __repr__(self) -> str:
        return f"RunState({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"

    def __eq__(self, other: object) -> bool:
        """Compare fact by fact, in their order; NaN equals itself here, and 1 does not equal 1.0."""
        return repr(self) == repr(other) if isinstance(other, RunState) else NotImplemented

    __hash__ = None  # type: ignore[assignment]
