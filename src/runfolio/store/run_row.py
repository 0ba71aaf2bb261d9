"""What the index keeps of a run: enough for a listing, a filter and a comparison, in columns of SQLite.

Standard library only. The JSON in it is private to the cache: NaN and infinities stand in it as Python's json writes them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from runfolio.store.summary import pack

if TYPE_CHECKING:
    from runfolio.store.run_fold import RunFolding


class Row(NamedTuple):
    """One run. Units: times in ns since 1970."""

    id: str
    version: int  # another one after each change
    status: str
    reason: str | None
    since_ns: int | None
    name: str | None
    experiment: str | None
    created_ns: int
    started_ns: int | None
    ended_ns: int | None
    last_ns: int  # of any frame: the last sign of life
    earlier_ns: int  # how long the attempts before the latest took
    deleted: int
    archived: int
    params: str
    more: str
    summaries: bytes


COLUMNS = Row._fields
HEAD = COLUMNS[:5]
"""The columns by which a change of a run is seen: its version, how it stands, and why."""
LIGHT = COLUMNS[:14]
"""All but the big ones: an index of the cache holds them, so that of many runs they are read fast."""
HEAVY = ("params", "more", "summaries")
"""The columns that may be big."""


def row_of(folding: RunFolding, version: int, standing: tuple[str, str | None, int | None]) -> Row:
    """Make the row of a run from its journals."""
    state, files = folding.files.state, folding.files
    last_ns = _int64(files.last_ns() or 0)
    created_ns = state.created_ns if state.created_ns is not None else last_ns
    return Row(
        id=files.run_id,
        version=version,
        name=state.name,
        experiment=state.experiment,
        status=standing[0],
        reason=standing[1],
        since_ns=standing[2],
        created_ns=created_ns,
        started_ns=state.started_ns,
        ended_ns=state.ended_ns if files.declared else None,
        last_ns=last_ns,
        earlier_ns=_earlier_ns(folding),
        deleted=int(state.deleted),
        archived=int(state.archived),
        params=to_json(state.params),
        more=to_json(_more(folding)),
        summaries=pack((name, summary) for (name, _), summary in folding.summaries.items()),
    )


def _earlier_ns(folding: RunFolding) -> int:
    """Add up how long each attempt but the last took, by its declared end or its last sign of life."""
    total = 0
    for attempt in folding.files.state.attempts[:-1]:
        end = attempt.ended_ns if attempt.ended_ns is not None else folding.files.last_ns(attempt.number)
        total += max(0, (end or attempt.started_ns) - attempt.started_ns)
    return _int64(total)


def _more(folding: RunFolding) -> dict[str, Any]:
    state, files = folding.files.state, folding.files
    return {
        "tags": state.tags,
        "notes": state.notes,
        "summary": state.summary,
        "goals": {state.metric_names.get(name, name): goal for name, goal in state.goals.items()},
        "total_steps": state.total_steps,
        "aliases": state.aliases,
        "attempts": len(state.attempts),
        "exit_code": state.exit_code,
        "error": state.error and state.error[:2],
        "lost": state.lost[:4],
        "spooled_in": files.spooled_in,
        "copy_of": files.copy_of,
        "warnings": warnings(folding),
    }


def warnings(folding: RunFolding) -> list[str]:
    """Tell, in words, what a reader of this run should know."""
    state = folding.files.state
    told = list(folding.files.warnings)
    for conflict in state.conflicts[:20]:
        told.append(
            f"two writers disagree about param {conflict.key!r}: {conflict.kept!r} was first and is shown, {conflict.refused!r} is not"
        )
    if len(state.conflicts) > 20:
        told.append(f"and about {len(state.conflicts) - 20} more params")
    lost = state.lost
    if lost.points or lost.calls or lost.events:
        causes = f" ({', '.join(lost.causes)})" if lost.causes else ""
        told.append(f"{_many(lost.points, 'value')} and {_many(lost.events, 'other event')} could not be kept{causes}")
    if state.oddities:
        sense = "makes no sense and is" if state.oddities == 1 else "make no sense and are"
        told.append(f"{_many(state.oddities, 'event')} {sense} left out")
    for folder in folding.files.spooled_in:
        told.append(f"part of it waits in the spool: {folder}")
    return told


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def to_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def from_json(text: str) -> Any:
    return _decode(text)[0]


_decode = json.JSONDecoder().raw_decode  # `loads` looks for white space first, and we write none


def _int64(value: int) -> int:
    return max(-(2**63), min(2**63 - 1, value))
