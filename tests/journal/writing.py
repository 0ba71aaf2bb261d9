"""Write journals for the tests: writers over a plain folder, random calls, and what each call should leave."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from hypothesis import strategies as st

from runfolio.errors import InvalidValue
from runfolio.journal.files import SYSTEM
from runfolio.journal.writer import FINAL, Writer
from runfolio.testing.clock import ManualClock


class Log(NamedTuple):
    """A call of `log`."""

    metrics: dict[str, Any]
    step: Any


class Tell(NamedTuple):
    """A call of `event`."""

    body: dict[str, Any]


class Pause(NamedTuple):
    """Time that passes, and what the keeper does meanwhile."""

    seconds: float
    sync: bool


NAMES = st.sampled_from(["a", "b", "c", "loss", "train/loss", "é", "漢字", "x" * 300])
FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)
INTS = st.integers(-(2**53), 2**53) | st.sampled_from([2**62, -(2**63), 3 * 2**55])
VALUES = FLOATS | INTS | st.booleans()
STEPS = st.none() | st.just(FINAL) | st.integers(-5, 50) | st.integers(-(2**63), 2**63 - 2)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)


def calls() -> st.SearchStrategy[Any]:
    """Give one call: mostly logs, some events, sometimes time that passes."""
    log = st.builds(Log, st.dictionaries(NAMES, VALUES, min_size=0, max_size=5), STEPS)
    tell = st.builds(Tell, st.fixed_dictionaries({"type": st.just("notes"), "text": TEXTS}))
    pause = st.builds(Pause, st.sampled_from([0.001, 1.0, 4000.0, 5000.0]), st.booleans())
    return st.one_of(log, log, log, tell, pause)


def call_lists(max_size: int = 60) -> st.SearchStrategy[list[Any]]:
    """Give a list of calls."""
    return st.lists(calls(), max_size=max_size)


def make_writer(*folders: Any, mapped: bool = True, **more: Any) -> Writer:
    """Make a writer over these folders, best first."""
    opening = more.pop("opening", lambda: {"attempt": 1, "rank": None, "role": "start"})
    return Writer([lambda f=str(folder): (f, mapped) for folder in folders], opening, **{"files": SYSTEM, **more})


class Expected:
    """What a writer should hold after some calls: the rule of steps, kept as plain Python."""

    def __init__(self) -> None:
        self.points: list[tuple[str, int | None, int, str]] = []
        self.events: list[dict[str, Any]] = []
        self.high: int | None = None

    def take(self, call: Any) -> None:
        """Note a call that was not refused."""
        if isinstance(call, Tell):
            self.events.append(call.body)
        if not isinstance(call, Log) or not call.metrics:
            return
        step = call.step
        if step is None:
            step = 0 if self.high is None else self.high + 1
        if step is not FINAL:
            self.high = step if self.high is None else max(step, self.high)
        at = None if step is FINAL else step
        self.points += [(key, at, bits_of(value), kind_of(value)) for key, value in call.metrics.items()]


def play(writer: Writer, told: list[Any], clock: ManualClock | None = None) -> Expected:
    """Make the calls, and give what they should leave."""
    expected = Expected()
    for call in told:
        try:
            if isinstance(call, Log):
                writer.log(call.metrics, call.step)
            elif isinstance(call, Tell):
                writer.event(call.body)
            else:
                if clock is not None:
                    clock.pass_s(call.seconds)
                writer.beat()
                if call.sync:
                    writer.sync()
        except InvalidValue:
            continue
        expected.take(call)
    return expected


def bits_of(value: float) -> int:
    """Give the bits of the float64 that equals this value."""
    return int.from_bytes(struct.pack("<d", value), "little")


def kind_of(value: Any) -> str:
    """Give the letter of a plain value's kind."""
    return "b" if isinstance(value, bool) else "i" if isinstance(value, int) else "f"
