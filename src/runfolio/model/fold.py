"""The fold: the events of a run, in their order, become its state.

Events come from any writer, also from a damaged or hostile one. Types and fields that are not known are passed over; an
event that makes no sense is counted in `oddities` and changes nothing; no event raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from runfolio.errors import UsageError
from runfolio.model.events import Event, OrderKey
from runfolio.model.numbers import INT64_MAX, INT64_MIN
from runfolio.model.params import same
from runfolio.model.run_state import (
    ArtifactVersion,
    Attempt,
    Conflict,
    DataUse,
    Kept,
    Lost,
    Record,
    RunError,
    RunState,
    Sent,
)
from runfolio.model.states import CANCELLED, FAILED, FINISHED, KILLED

__all__ = ["RunFold", "RunState", "fold"]

_ENDS = (FINISHED, FAILED, KILLED, CANCELLED)
_CAUSES_MAX = 16
_HEX = frozenset("0123456789abcdef")


def fold(events: Iterable[Event]) -> RunState:
    """Fold the events of one run, given in any order."""
    folding = RunFold()
    for event in sorted(events, key=_order_key):
        folding.add(event)
    return folding.state


class RunFold:
    """A fold that goes on: events are added in their order, and `state` is right after each."""

    __slots__ = ("_exited", "_param_since", "_param_told", "_seen", "_versions", "last", "state")

    def __init__(self) -> None:
        self.state = RunState()
        self.last: OrderKey | None = None  # of the last event added: the next one must lie behind it
        self._exited = False  # the launcher has had its last word about the latest attempt
        self._param_since: dict[str, int] = {}  # the first attempt that told the key
        self._param_told: dict[str, int] = {}  # the latest attempt that told the key
        self._seen: set[tuple[str, str]] = set()
        self._versions: dict[str, int] = {}  # of each artifact, the latest

    def add(self, event: Event) -> None:
        """Take in the next event; the same one again changes nothing.

        Raises:
            UsageError: the event stands before the last one. Fold all of them anew.
        """
        key = event.order_key
        if self.last is not None and key <= self.last:
            if key == self.last:
                return
            raise UsageError(f"event {event.type!r} comes before the last one added; fold all events of the run anew")
        self.last = key
        if not self.state.attempts or self.state.attempts[-1].number != event.attempt:
            self._begin(event)
        apply = _APPLY.get(event.type)
        try:
            if apply is not None:
                apply(self, event, event.body)
            elif not event.type:
                raise _Odd
        except _Odd:
            self.state.oddities += 1

    def _begin(self, event: Event) -> None:
        self.state.attempts.append(Attempt(event.attempt, event.time_ns))
        self._exited = False
        if self.state.created_ns is None:
            self.state.created_ns = event.time_ns

    def _append_new(self, what: str, values: list[str], value: str) -> None:
        if (what, value) not in self._seen:  # the list itself would be slow to ask where a hostile store has 10^5
            self._seen.add((what, value))
            values.append(value)

    def _update(self, **facts: Any) -> None:
        self.state.attempts[-1] = self.state.attempts[-1]._replace(**facts)

    # ---------------------------------------------------------------------------- who it is, and its attempts

    def _run(self, event: Event, body: dict[str, Any]) -> None:
        found = _text_or_none(body, "experiment"), _text_or_none(body, "experiment_id"), _text_or_none(body, "name")
        state = self.state
        if state.experiment_by_default and body.get("by_default") is not True:
            state.experiment, state.experiment_id, _ = found  # the script knows better than the launcher's guess
        elif state.experiment_id is None and state.experiment is None:  # the first in order is the run's own
            state.experiment, state.experiment_id, name = found
            state.name = name if state.name is None else state.name
        else:
            return
        state.experiment_by_default = body.get("by_default") is True

    def _attempt(self, event: Event, body: dict[str, Any]) -> None:
        rewind_to, command = _int_or_none(body, "rewind_to"), body.get("command")
        if command is not None and not _is_texts(command):
            raise _Odd
        self._update(rewind_to=rewind_to, command=command)
        if rewind_to is not None:
            self.state.rewinds.append((event.attempt, rewind_to))

    def _name(self, event: Event, body: dict[str, Any]) -> None:
        if "name" not in body:
            raise _Odd
        self.state.name = _text_or_none(body, "name")

    def _alias(self, event: Event, body: dict[str, Any]) -> None:
        self._append_new("alias", self.state.aliases, _text(body, "name"))

    # ------------------------------------------------------------------------------------------- what was set

    def _params(self, event: Event, body: dict[str, Any]) -> None:
        found, remove = _dict(body, "set"), body.get("remove", [])
        if not _is_texts(remove):
            raise _Odd
        for key in remove:
            self.state.params.pop(key, None)
            self._param_told.pop(key, None)
        for key, value in found.items():
            self._param(key, value, event.attempt, replace=body.get("replace") is True)

    def _param(self, key: str, value: Any, attempt: int, replace: bool) -> None:
        state = self.state
        told = self._param_told.get(key)
        if told is not None and not same(state.params[key], value):
            if told == attempt and not replace:
                state.conflicts.append(Conflict(key, state.params[key], value, attempt))
                return
            if told != attempt or key in state.params_by_attempt:
                changes = state.params_by_attempt.setdefault(key, {self._param_since[key]: state.params[key]})
                changes[attempt] = value
        self._param_since.setdefault(key, attempt)
        self._param_told[key] = attempt
        state.params[key] = value

    def _summary(self, event: Event, body: dict[str, Any]) -> None:
        self.state.summary.update(_dict(body, "set"))

    def _tags(self, event: Event, body: dict[str, Any]) -> None:
        add, remove = body.get("add", {}), body.get("remove", [])
        if not (isinstance(add, dict) and _is_texts(list(add.values())) and _is_texts(remove)):
            raise _Odd
        for key in remove:
            self.state.tags.pop(key, None)
        self.state.tags.update(add)

    def _notes(self, event: Event, body: dict[str, Any]) -> None:
        self.state.notes = _text_or_none(body, "text")

    def _goal(self, event: Event, body: dict[str, Any]) -> None:
        metric, goal = _text(body, "metric"), body.get("goal")
        if goal not in ("min", "max"):
            raise _Odd
        self.state.goals[metric] = goal

    def _metric_name(self, event: Event, body: dict[str, Any]) -> None:
        """Rename a metric as it is shown now; back to what it was logged as, it has its own name again."""
        shown, new = _text(body, "metric"), _text(body, "name")
        names = self.state.metric_names
        logged = next((own for own, called in names.items() if called == shown), shown)
        if new == logged:
            names.pop(logged, None)
        else:
            names[logged] = new

    def _total_steps(self, event: Event, body: dict[str, Any]) -> None:
        self.state.total_steps = _int_or_none(body, "value")

    # --------------------------------------------------------------------------------- what it is rendered to

    def _view(self, event: Event, body: dict[str, Any]) -> None:
        self._keep(self.state.views, Kept(_text(body, "format"), _text(body, "path"), _options(body), event.attempt))

    def _sink(self, event: Event, body: dict[str, Any]) -> None:
        self._keep(self.state.sinks, Kept(_text(body, "kind"), "", _options(body), event.attempt))

    def _keep(self, kept: list[Kept], new: Kept) -> None:
        """Add what is kept; asked for again, in the same attempt or a later one, it is one."""
        for place, old in enumerate(kept):
            if (old.what, old.path) == (new.what, new.path) and (new.path or old.options == new.options):
                kept[place] = new
                return
        kept.append(new)

    def _sent(self, event: Event, body: dict[str, Any]) -> None:
        counts = _count(body, "sent"), _count(body, "dropped")
        self.state.sent.append(Sent(_text(body, "sink"), *counts, _text_or_none(body, "error"), event.attempt))

    # ------------------------------------------------------------------------------------- what was handed in

    def _record(self, event: Event, body: dict[str, Any]) -> None:
        if "value" not in body:
            raise _Odd
        step = _int_or_none(body, "step")
        self.state.records.append(Record(step, body["value"], event.time_ns, event.attempt, event.rank))

    def _artifact(self, event: Event, body: dict[str, Any]) -> None:
        name, sha256, size_bytes = _text(body, "name"), _sha256(body), _count(body, "size_bytes")
        step, media = _int_or_none(body, "step"), _text_or_none(body, "media")
        version = self._versions.get(name, 0) + 1
        self._versions[name] = version
        self.state.artifacts.append(
            ArtifactVersion(name, version, sha256, size_bytes, step, media, event.time_ns, event.attempt)
        )

    def _data(self, event: Event, body: dict[str, Any]) -> None:
        sha256 = None if body.get("sha256") is None else _sha256(body)
        size_bytes = None if body.get("size_bytes") is None else _count(body, "size_bytes")
        kind = _text_or_none(body, "kind")
        self.state.data.append(DataUse(_text(body, "path"), size_bytes, sha256, kind, event.time_ns, event.attempt))

    def _capture(self, event: Event, body: dict[str, Any]) -> None:
        field = _text(body, "field")
        if "value" not in body:
            raise _Odd
        self.state.capture_first.setdefault(field, body["value"])
        self.state.capture[field] = body["value"]

    # -------------------------------------------------------------------------------------------- how it went

    def _output(self, event: Event, body: dict[str, Any]) -> None:
        self.state.output = {name: _count(body, name) for name in ("size_bytes", "cut_bytes")}

    def _error(self, event: Event, body: dict[str, Any]) -> None:
        error = RunError(
            _text(body, "kind"), _text_or_none(body, "message") or "", _text_or_none(body, "traceback") or ""
        )
        if self.state.attempts[-1].error is None:  # the first is the cause, what follows its consequence
            self._update(error=error)

    def _lost(self, event: Event, body: dict[str, Any]) -> None:
        lost = self.state.lost
        counts = [_count(body, name) if name in body else 0 for name in ("points", "calls", "events")]
        cause, since_ns = _text_or_none(body, "cause"), _int_or_none(body, "since_ns")
        causes = lost.causes
        if cause is not None and cause not in causes and len(causes) < _CAUSES_MAX:
            causes = (*causes, cause)
        since = [moment for moment in (lost.since_ns, since_ns) if moment is not None]
        points, calls, events = lost.points + counts[0], lost.calls + counts[1], lost.events + counts[2]
        self.state.lost = Lost(points, calls, events, causes, min(since, default=None))

    def _uncertain(self, event: Event, body: dict[str, Any]) -> None:
        self._append_new("uncertain", self.state.uncertain, _text(body, "journal"))

    def _finish(self, event: Event, body: dict[str, Any]) -> None:
        end = _end(event, body)
        told = self.state.attempts[-1].status is not None and body.get("implied") is True
        if not self._exited and not told:
            self._update(**end)

    def _exit(self, event: Event, body: dict[str, Any]) -> None:
        end = _end(event, body)
        before = self.state.attempts[-1]
        if end["reason"] is None and end["status"] == before.status:
            end["reason"] = before.reason  # the run knows better why than the launcher, who sees a number
        self._update(**end, signal=_int_or_none(body, "signal"))
        self._exited = True

    # -------------------------------------------------------------------------------------------------- edits

    def _archive(self, event: Event, body: dict[str, Any]) -> None:
        self.state.archived = event.type == "archive"

    def _delete(self, event: Event, body: dict[str, Any]) -> None:
        self.state.deleted = event.type == "delete"


_APPLY: dict[str, Callable[[RunFold, Event, dict[str, Any]], None]] = {
    "run": RunFold._run,
    "attempt": RunFold._attempt,
    "name": RunFold._name,
    "alias": RunFold._alias,
    "params": RunFold._params,
    "summary": RunFold._summary,
    "tags": RunFold._tags,
    "notes": RunFold._notes,
    "goal": RunFold._goal,
    "metric_name": RunFold._metric_name,
    "total_steps": RunFold._total_steps,
    "view": RunFold._view,
    "sink": RunFold._sink,
    "sent": RunFold._sent,
    "record": RunFold._record,
    "artifact": RunFold._artifact,
    "data": RunFold._data,
    "capture": RunFold._capture,
    "output": RunFold._output,
    "error": RunFold._error,
    "lost": RunFold._lost,
    "uncertain": RunFold._uncertain,
    "finish": RunFold._finish,
    "exit": RunFold._exit,
    "archive": RunFold._archive,
    "unarchive": RunFold._archive,
    "delete": RunFold._delete,
    "restore": RunFold._delete,
}

EVENT_TYPES = tuple(_APPLY)


# ------------------------------------------------------------------------------------------- fields of a body


class _Odd(Exception):
    """A field is missing or of another type than the format says."""


def _text(body: dict[str, Any], field: str) -> str:
    found = body.get(field)
    if not isinstance(found, str):
        raise _Odd
    return found


def _text_or_none(body: dict[str, Any], field: str) -> str | None:
    return None if body.get(field) is None else _text(body, field)


def _int(body: dict[str, Any], field: str) -> int:
    found = body.get(field)
    if type(found) is not int or not INT64_MIN <= found <= INT64_MAX:
        raise _Odd
    return found


def _int_or_none(body: dict[str, Any], field: str) -> int | None:
    return None if body.get(field) is None else _int(body, field)


def _count(body: dict[str, Any], field: str) -> int:
    found = _int(body, field)
    if found < 0:
        raise _Odd
    return found


def _dict(body: dict[str, Any], field: str) -> dict[str, Any]:
    found = body.get(field)
    if not isinstance(found, dict):
        raise _Odd
    return found


def _options(body: dict[str, Any]) -> dict[str, Any]:
    return _dict(body, "options") if "options" in body else {}


def _sha256(body: dict[str, Any]) -> str:
    """Read a digest; it names a file later, so nothing but one may come through here."""
    found = _text(body, "sha256")
    if len(found) != 64 or not _HEX.issuperset(found):
        raise _Odd
    return found


def _end(event: Event, body: dict[str, Any]) -> dict[str, Any]:
    status = _text(body, "status")
    if status not in _ENDS:
        raise _Odd
    reason, exit_code = _text_or_none(body, "reason"), _int_or_none(body, "exit_code")
    return {"status": status, "reason": reason, "exit_code": exit_code, "ended_ns": event.time_ns}


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _order_key(event: Event) -> OrderKey:
    return event.order_key
