"""Turn a run's entries into calls of a sink."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from runfolio.model.events import Event
from runfolio.model.params import unflatten
from runfolio.sinks.sink import About, Sink, flat

if TYPE_CHECKING:
    from runfolio.store.follow import Call, Entry

_METHODS = {"attempt": "rewind", "params": "params", "record": "record", "summary": "summary"}
_DESCRIBED = ("name", "tags", "notes")


class Part(NamedTuple):
    """What goes to the sink at once: calls, or one event."""

    calls: list[Call]
    event: Event | None

    @property
    def entries(self) -> list[Entry]:
        return [self.event] if self.event is not None else list(self.calls)

    def singles(self) -> Iterator[Part]:
        """Take it apart."""
        if self.event is not None:
            yield self
        for call in self.calls:
            yield Part([call], None)


def parts_of(entries: Iterable[Entry]) -> Iterator[Part]:
    """Put calls that follow one another together; leave out events that say nothing to a sink."""
    calls: list[Call] = []
    for entry in entries:
        if not isinstance(entry, Event):
            calls.append(entry)
        elif entry.type in _METHODS or entry.type in _DESCRIBED:
            if calls:
                yield Part(calls, None)
                calls = []
            yield Part([], entry)
    if calls:
        yield Part(calls, None)


class Delivery:
    """Hands parts to one sink; knows the params and the name, tags and notes as they now are."""

    def __init__(self, sink: Sink, about: About) -> None:
        self._sink, self._about = sink, about
        self._params: dict[str, Any] = flat(about.params)
        self._set_in = dict.fromkeys(self._params, about.attempt)  # the attempt that each key's value is of

    def name_of(self, part: Part) -> str:
        """Name the method that takes this part."""
        return "log" if part.event is None else _METHODS.get(part.event.type, "describe")

    def hand_over(self, part: Part) -> None:
        """Call the sink with this part; what it raises goes through."""
        if part.event is None:
            self._sink.log(part.calls)
            return
        event, body = part.event, part.event.body
        match event.type:
            case "params":
                self._take_params(event.attempt, _mapping(body, "set"), replace=body.get("replace") is True)
            case "summary":
                self._sink.summary(_mapping(body, "set"))
            case "record":
                self._sink.record(body.get("step"), body.get("value"), event.time_ns)
            case "attempt":
                if isinstance(body.get("rewind_to"), int):
                    self._sink.rewind(body["rewind_to"])
            case _:
                self._describe(event)

    def _take_params(self, attempt: int, given: Mapping[str, Any], *, replace: bool) -> None:
        """Apply them as the run's own reader does: in an attempt the first value holds, unless one replaces it."""
        for key, value in given.items():
            at = self._set_in.get(key, attempt - 1)
            if attempt > at or (replace and attempt == at):
                self._params[key], self._set_in[key] = value, attempt
        self._sink.params(unflatten(self._params))

    def _describe(self, event: Event) -> None:
        body = event.body
        if event.type == "name":
            self._about = self._about._replace(name=body.get("name"))
        elif event.type == "notes":
            self._about = self._about._replace(notes=body.get("text"))
        else:
            gone = set(body.get("remove") or ())
            kept = {key: value for key, value in self._about.tags.items() if key not in gone}
            self._about = self._about._replace(tags={**kept, **_mapping(body, "add")})
        self._sink.describe(self._about)


def _mapping(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = body.get(key)
    return found if isinstance(found, dict) else {}


def counts(entry: Entry) -> int:
    """Tell 1 of what is counted as sent or dropped: calls and records; 0 of other events."""
    return 0 if isinstance(entry, Event) and entry.type != "record" else 1
