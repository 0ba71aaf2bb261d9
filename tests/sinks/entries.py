"""Entries of a run, made by hand, and sinks that keep what they are given or do wrong on request."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from runfolio.model.events import Event
from runfolio.sinks.feed import Feed
from runfolio.sinks.sink import About, Sink
from runfolio.store.follow import Call

RUN_ID = "0123456789abcdef" * 2
WRITER = "f" * 32
START_NS = 1_700_000_000_000_000_000
WAIT_S = 60.0  # never reached, unless the test fails


def about(folder: Path, **given: Any) -> About:
    """Tell of a run."""
    facts: dict[str, Any] = {
        "run_id": RUN_ID,
        "name": "mlp-64",
        "experiment": "digits",
        "params": {"lr": 0.1, "model": {"width": 64}},
        "tags": {"baseline": "", "team": "ml"},
        "notes": "a note",
        "created_ns": START_NS,
        "attempt": 1,
        "folder": str(folder / "run"),
    }
    return About(**{**facts, **given})


class Journal:
    """Makes entries with rising sequence numbers and times, as one writer does."""

    def __init__(self, writer: str = WRITER, attempt: int = 1) -> None:
        self._writer, self._attempt, self._seq = writer, attempt, 0

    def call(self, step: int | None, rank: int | None = None, /, **values: float) -> Call:
        return self.call_of(step, values, rank)

    def call_of(self, step: int | None, values: dict[str, float], rank: int | None = None) -> Call:
        self._seq += 1
        return Call(step, values, START_NS + self._seq * 10**9, self._attempt, rank, self._writer, self._seq)

    def calls(self, count: int) -> Iterator[Call]:
        for step in range(count):
            yield self.call(step, loss=float(step))

    def event(self, type: str, **fields: Any) -> Event:
        self._seq += 1
        body = {"type": type, **fields}
        return Event(body, START_NS + self._seq * 10**9, self._attempt, self._writer, self._seq, None, "start")


class Kept:
    """A sink that keeps everything, in order."""

    target = "kept"

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def open(self, about: About) -> None:
        self.told.append(("open", about))

    def params(self, nested: Mapping[str, Any]) -> None:
        self.told.append(("params", dict(nested)))

    def describe(self, about: About) -> None:
        self.told.append(("describe", about))

    def log(self, calls: Sequence[Call]) -> None:
        self.told += [("log", call) for call in calls]

    def record(self, step: int | None, value: Any, time_ns: int) -> None:
        self.told.append(("record", (step, value)))

    def summary(self, values: Mapping[str, Any]) -> None:
        self.told.append(("summary", dict(values)))

    def rewind(self, step: int) -> None:
        self.told.append(("rewind", step))

    def close(self, status: str, reason: str | None) -> None:
        self.told.append(("close", (status, reason)))

    def of(self, method: str) -> list[Any]:
        return [value for name, value in self.told if name == method]


class Failing(Kept):
    """Raises in a method, as often as it is told; None: always."""

    def __init__(self, method: str, times: int | None = None) -> None:
        super().__init__()
        self._left = times
        self.raised = 0
        real = getattr(self, method)

        def fail(*args: Any) -> None:
            if self._left is None or self._left > 0:
                self._left = None if self._left is None else self._left - 1
                self.raised += 1
                raise ConnectionError("no route to host")
            real(*args)

        setattr(self, method, fail)


class Hanging(Kept):
    """Does not come back from `log` before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.let_go = threading.Event(), threading.Event()

    def log(self, calls: Sequence[Call]) -> None:
        self.inside.set()
        assert self.let_go.wait(WAIT_S)
        super().log(calls)


def feed_of(sink: Sink, folder: Path, troubles: list[str] | None = None, **more: Any) -> Feed:
    """Feed a sink, with pauses that a test can bear."""
    on_trouble = ([] if troubles is None else troubles).append
    return Feed(lambda: sink, more.pop("about", None) or about(folder), "kept", on_trouble, first_pause_s=0.001, **more)


def hand_over(sink: Sink, entries: Sequence[Call]) -> None:
    """Give all of these to an open sink at once."""
    sink.log(list(entries))
