"""What feeds another tracker: the protocol, and what it is told about the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from runfolio.store.follow import Call

FINAL_PREFIX = "final/"


class About(NamedTuple):
    """Who the run is, as far as it is known when its sink opens."""

    run_id: str
    name: str | None
    experiment: str | None
    params: Mapping[str, Any]  # nested
    tags: Mapping[str, str]
    notes: str | None
    created_ns: int
    attempt: int
    folder: str  # the run's own: what a sink must remember for the next attempt lies in it, by `memory`


class Sink(Protocol):
    """Another tracker, for one run.

    Contract: all methods are called by one thread, `open` first and `close` last, never after one another in time.
    Each of them may raise and may take its time: `Feed` stands between it and the rest. What has raised is called
    again with the same arguments, so a method must do no harm the second time, or as little as the other tracker lets
    it. `open` for a run that this sink has fed before continues the run there: it is told by `about.attempt`, and what
    `memory` kept. A sink owns nothing that must survive it: after a crash of its process the next one asks `memory`.
    It is never handed over a fork. Points come in the order of events, whatever their steps; a step may be negative,
    None, or lower than the one before. Nothing here is imported from the other tracker before `open`.
    """

    @property
    def target(self) -> str:
        """Where it goes, as text without secrets: the same for the same place, so that it can be remembered."""

    def open(self, about: About) -> None:
        """Begin the run there, or continue it, with its params, tags and notes."""

    def params(self, nested: Mapping[str, Any]) -> None:
        """Take all params as they now are, nested."""

    def describe(self, about: About) -> None:
        """Take the name, tags and notes as they now are."""

    def log(self, calls: Sequence[Call]) -> None:
        """Take these calls of `log`, in order; all of them, or raise."""

    def record(self, step: int | None, value: Any, time_ns: int) -> None:
        """Take what is not a number."""

    def summary(self, values: Mapping[str, Any]) -> None:
        """Take these values of the summary; dotted keys, the later value of a key wins."""

    def rewind(self, step: int) -> None:
        """Hide the points from this step on, where the other tracker can: a new attempt begins there again."""

    def close(self, status: str, reason: str | None) -> None:
        """End the run there by this status, when all that was taken has been handed over."""


def shown_name(name: str, call: Call) -> str:
    """Name the series of a point in a tracker that knows neither ranks nor points without a step."""
    if call.rank is not None:
        name = f"{name}/rank{call.rank}"
    return f"{FINAL_PREFIX}{name}" if call.step is None else name


def flat(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Turn nested params into dotted keys.

    Unlike `model.params.flatten` it takes what a reader of the run gives as it is, also a value beside a branch of the
    same name, which two writers can make; so it never raises.
    """
    found: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, Mapping) and value:
            found |= {f"{key}.{inner}": leaf for inner, leaf in flat(value).items()}
        else:
            found[str(key)] = value
    return found
