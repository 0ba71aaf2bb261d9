"""A run as another tracker left it: what importers give, whatever the format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from runfolio.model.states import FINISHED


class ForeignCall(NamedTuple):
    """What was logged at once."""

    step: int | None
    values: Mapping[str, float | int | bool]
    time_ns: int | None = None  # None: as the one before


class ForeignRecord(NamedTuple):
    """What was logged and is no number."""

    step: int | None
    value: Any
    time_ns: int | None = None


class ForeignArtifact(NamedTuple):
    """A file of the run."""

    path: str
    name: str


class ForeignView(NamedTuple):
    """The files that go on being rendered where they are, once the run is written to again."""

    format: str
    path: str
    options: Mapping[str, Any]


class Skipped(NamedTuple):
    """What could not be read, as a whole or in part."""

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ForeignRun:
    """A run of another tracker.

    Args:
        identity: names the run within its system, wherever the folder lies now.
        calls: numbers; in the order they were logged.
        status: finished, failed, killed; None where the source does not tell, as of one that was running.
        claims: (kind, name) of what this run is to own, such as its number.
        sources: the paths that were read.
        skipped: what of it could not be taken over, and why.
    """

    system: str
    identity: str
    name: str | None = None
    experiment: str | None = None
    aliases: Sequence[str] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    calls: Sequence[ForeignCall] = ()
    records: Sequence[ForeignRecord] = ()
    artifacts: Sequence[ForeignArtifact] = ()
    status: str | None = FINISHED
    reason: str | None = None
    created_ns: int | None = None
    ended_ns: int | None = None
    views: Sequence[ForeignView] = ()
    claims: Sequence[tuple[str, str]] = ()
    sources: Sequence[str] = ()
    skipped: Sequence[Skipped] = ()
