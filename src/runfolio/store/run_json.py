"""Write and read `run.json`: all that the closed journals of a run say besides their points, for people, jq, and for readers without journals.

Strict JSON: NaN and the infinities are text, and `floats` lists where, so that they come back as numbers. Source: docs/formats/run.md.
Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from runfolio._version import __version__
from runfolio.errors import InvalidValue, Unreadable
from runfolio.model.events import Event
from runfolio.model.fold import RunState
from runfolio.model.strict_json import dumps_view, unview, view

FORMAT = 1


class Covered(NamedTuple):
    """A journal that is in the seal, as far as `end`."""

    journal: str
    end: int
    seq: int
    closed: bool
    synced: int
    last_time_ns: int
    points: int
    high_step: int | None  # None: no step at all
    metrics: list[str]
    opening: dict[str, Any]

    @property
    def attempt(self) -> int:
        number = self.opening.get("attempt")
        return number if isinstance(number, int) else 1


class Sheet(NamedTuple):
    """What points file belongs to a `run.json`."""

    id: str
    sha256: str
    size_bytes: int
    points: int


class RunJson(NamedTuple):
    """What a `run.json` holds, but for the part that is for people."""

    run_id: str
    journals: list[Covered]
    events: list[Event]
    sheet: Sheet


def render(
    run_id: str,
    state: RunState,
    metrics: dict[str, list[dict[str, Any]]],
    journals: Iterable[Covered],
    events: Iterable[Event],
    sheet: Sheet,
) -> bytes:
    """Render the file: first what people look for, then the events as they stand in the journals."""
    body = {
        "format": FORMAT,
        "runfolio": __version__,
        "id": run_id,
        **_told(state),
        "metrics": metrics,
        "parquet": sheet._asdict(),
        "journals": [covered._asdict() for covered in journals],
        "events": [{"journal": e.journal, "seq": e.seq, "time_ns": e.time_ns, "body": e.body} for e in events],
    }
    ready, floats = view(body)
    return dumps_view({**ready, "floats": floats}, indent=1).encode() + b"\n"


def parse(data: bytes, path: str) -> RunJson:
    """Read the file.

    Raises:
        Unreadable: it is damaged, of a newer format, or none of ours.
    """
    try:
        raw = json.loads(data, parse_constant=_refuse)
        if raw["format"] > FORMAT:
            raise Unreadable(
                f"run.json has format {raw['format']}; this runfolio reads {FORMAT}. Upgrade runfolio: {path}"
            )
        body = unview(raw, raw["floats"])
        journals = [Covered(**{name: told[name] for name in Covered._fields}) for told in body["journals"]]
        by_id = {covered.journal: covered for covered in journals}
        events = [_event(told, by_id[told["journal"]]) for told in body["events"]]
        return RunJson(body["id"], journals, events, Sheet(**body["parquet"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidValue) as trouble:
        raise Unreadable(f"run.json cannot be read ({type(trouble).__name__}: {trouble}): {path}") from trouble


def read(path: str) -> RunJson | None:
    """Read the file at this path; None where there is none.

    Raises:
        Unreadable: it is damaged, of a newer format, or cannot be opened.
    """
    try:
        with open(path, "rb") as file:
            return parse(file.read(), path)
    except FileNotFoundError:
        return None
    except OSError as trouble:
        raise Unreadable(f"run.json cannot be read: {trouble.strerror}: {path}") from trouble


def _event(told: dict[str, Any], covered: Covered) -> Event:
    rank = covered.opening.get("rank")
    return Event(
        told["body"],
        told["time_ns"],
        covered.attempt,
        covered.journal,
        told["seq"],
        rank if isinstance(rank, int) and not isinstance(rank, bool) else None,
        str(covered.opening.get("role", "")),
    )


def _refuse(name: str) -> float:
    raise ValueError(f"bare {name}")


# ----------------------------------------------------------------------------------------------------------- for people


def _told(state: RunState) -> dict[str, Any]:
    """Give the state of a run in plain values; records stand among the events."""
    error = state.error
    return {
        "name": state.name,
        "aliases": state.aliases,
        "experiment": state.experiment,
        "status": state.status_declared,
        "reason": state.reason,
        "exit_code": state.exit_code,
        "error": None if error is None else error._asdict(),
        "created": _moment(state.created_ns),
        "started": _moment(state.started_ns),
        "ended": _moment(state.ended_ns),
        "archived": state.archived,
        "deleted": state.deleted,
        "params": state.params,
        "params_by_attempt": {
            key: {str(at): value for at, value in by.items()} for key, by in state.params_by_attempt.items()
        },
        "conflicts": [conflict._asdict() for conflict in state.conflicts],
        "tags": state.tags,
        "notes": state.notes,
        "summary": state.summary,
        "goals": state.goals,
        "total_steps": state.total_steps,
        "attempts": [{**a._asdict(), "error": a.error and a.error._asdict()} for a in state.attempts],
        "artifacts": [version._asdict() for version in state.artifacts],
        "data": [use._asdict() for use in state.data],
        "captured": state.capture,
        "output": state.output,
        "lost": state.lost._asdict(),
    }


def _moment(time_ns: int | None) -> str | None:
    """Give a time as ISO 8601, UTC, in microseconds; None where it is beyond the calendar."""
    if time_ns is None:
        return None
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)).isoformat()
    except OverflowError:
        return None
