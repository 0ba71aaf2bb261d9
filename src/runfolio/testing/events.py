"""What everything that takes events promises, as tests to inherit.

class TestMyTaker(EventTakerContract):
    def make_taker(self): ...
    def told(self, taker): ...
"""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from runfolio.errors import InvalidValue, UsageError
from runfolio.journal.writer import FINAL, NoStep

E = TypeVar("E", bound=Exception)

ODD_VALUES = (math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.7976931348623157e308, 0.1, 1 / 3)
INTS = (0, -1, 2**53, -(2**53), 2**62)
REFUSED = (2**53 + 1, 2**64, "0.5", None, 1j, [1.0, 2.0], b"1", object())


class EventTaker(Protocol):
    """The narrow waist: all that a writing side asks of the thing below it.

    Contract: any thread may call any method, also one that interrupts another call of its own thread. `log` raises for the caller's
    mistakes only, and keeps nothing of a call that it refuses.
    """

    def log(self, metrics: Mapping[str, object], step: int | NoStep | None = None, **more: object) -> None: ...
    def event(self, body: Mapping[str, Any]) -> None: ...
    def sync(self) -> bool: ...


class Told(NamedTuple):
    """What a taker holds, in order: points as (metric, step or None, value, kind), and the bodies of its events."""

    points: list[tuple[str, int | None, float, str]]
    events: list[dict[str, Any]]


class EventTakerContract:
    """Inherit, and say how to make an empty taker and how to read it back."""

    def make_taker(self) -> EventTaker:
        """Make an empty one."""
        raise NotImplementedError

    def told(self, taker: Any) -> Told | None:
        """Read back what it was told; None where it keeps nothing by design."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------------- points

    def test_floats_come_back_bit_for_bit(self) -> None:
        """Every float64 comes out as it went in: NaN, infinities, −0.0 and the smallest ones too."""
        taker = self.make_taker()
        for step, value in enumerate(ODD_VALUES):
            taker.log({"m": value}, step=step)
        self._expect(taker, [("m", step, value, "f") for step, value in enumerate(ODD_VALUES)])

    def test_ints_and_bools_keep_their_kind(self) -> None:
        """An int stays an int and a bool a bool, beside floats in the same call."""
        taker = self.make_taker()
        for step, value in enumerate(INTS):
            taker.log({"i": value, "b": step % 2 == 0, "f": float(value)}, step=step)
        self._expect(
            taker,
            [
                point
                for step, value in enumerate(INTS)
                for point in (("i", step, value, "i"), ("b", step, step % 2 == 0, "b"), ("f", step, float(value), "f"))
            ],
        )

    def test_a_metric_may_change_its_kind(self) -> None:
        """The same name may carry an int now and a float then."""
        taker = self.make_taker()
        values: list[float] = [1, 1.0, True, 2, 2.5]
        for step, value in enumerate(values):
            taker.log({"m": value}, step=step)
        kinds = "".join("b" if isinstance(v, bool) else "i" if isinstance(v, int) else "f" for v in values)
        self._expect(taker, [("m", step, value, kinds[step]) for step, value in enumerate(values)])

    def test_without_a_step_the_next_one(self) -> None:
        """Without a step: the highest so far + 1, over all metrics, from 0; FINAL has none and moves none."""
        taker = self.make_taker()
        taker.log({"a": 0.0})
        taker.log({"b": 1.0}, step=10)
        taker.log({"a": 2.0}, step=3)
        taker.log({"end": 3.0}, step=FINAL)
        taker.log({"a": 4.0})
        self._expect(
            taker,
            [("a", 0, 0.0, "f"), ("b", 10, 1.0, "f"), ("a", 3, 2.0, "f"), ("end", None, 3.0, "f"), ("a", 11, 4.0, "f")],
        )

    def test_a_first_step_below_zero_counts_on(self) -> None:
        """Steps may be negative, and the next one follows them."""
        taker = self.make_taker()
        taker.log({"a": 0.0}, step=-5)
        taker.log({"a": 1.0})
        self._expect(taker, [("a", -5, 0.0, "f"), ("a", -4, 1.0, "f")])

    def test_any_step_of_64_bits(self) -> None:
        """Steps go up, down and repeat, over all of int64, and stand in the order of the calls."""
        taker = self.make_taker()
        steps = [2**63 - 1, -(2**63), 0, 2**40, 0, -1, 2**31, -(2**31) - 1]
        for number, step in enumerate(steps):
            taker.log({"m": float(number)}, step=step)
        self._expect(taker, [("m", step, float(number), "f") for number, step in enumerate(steps)])

    def test_keyword_metrics(self) -> None:
        """Metrics may be given by keyword, beside a mapping or without."""
        taker = self.make_taker()
        taker.log({"a": 1.0}, step=0, b=2.0)
        self._expect(taker, [("a", 0, 1.0, "f"), ("b", 0, 2.0, "f")])

    def test_nothing_logged_is_nothing_kept(self) -> None:
        """An empty call leaves no trace, and takes no step."""
        taker = self.make_taker()
        taker.log({})
        taker.log({}, step=7)
        taker.log({"a": 1.0})
        self._expect(taker, [("a", 0, 1.0, "f")])

    def test_a_refused_call_keeps_nothing(self) -> None:
        """A value that is no number is refused by the name of its metric, with all of its call."""
        taker = self.make_taker()
        if self.told(taker) is None:
            return
        for value in REFUSED:
            error = refusal(InvalidValue, lambda value=value: taker.log({"fine": 1.0, "odd": value}, step=99))  # type: ignore[misc]
            assert error.key == "odd", f"{value!r} is refused as {error.key!r}"
        taker.log({"a": 1.0})
        self._expect(taker, [("a", 0, 1.0, "f")])

    def test_a_refused_step_keeps_nothing(self) -> None:
        """7.0, True, text and what does not fit 64 bits are no steps, and `step` is no metric."""
        taker = self.make_taker()
        if self.told(taker) is None:
            return
        for step in (7.0, True, "7", 2**63, -(2**63) - 1, math.nan):
            refusal(InvalidValue, lambda step=step: taker.log({"a": 1.0}, step=step))  # type: ignore[misc]
        refusal(UsageError, lambda: taker.log({"a": 1.0, "step": 7}))
        self._expect(taker, [])

    # -------------------------------------------------------------------------------------------------- events

    def test_events_stand_in_order(self) -> None:
        """Events come back whole and in order, whatever text they hold."""
        taker = self.make_taker()
        bodies: list[dict[str, Any]] = [
            {"type": "notes", "text": 'zero \0, quote ", line\n, é, 漢, 🧪'},
            {"type": "params", "set": {"lr": 0.1, "n": 3, "on": True, "none": None, "nan": math.inf, "$": "$float"}},
            {"type": "record", "step": None, "value": {"list": [1, [2.5, "x"]], "$float": "NaN"}},
        ]
        for body in bodies:
            taker.event(body)
        told = self.told(taker)
        assert told is None or told.events == bodies

    def test_sync_says_that_it_is_done(self) -> None:
        """`sync` is True where nothing stands in the way, also twice and with nothing to do."""
        taker = self.make_taker()
        assert taker.sync()
        taker.log({"a": 1.0})
        assert taker.sync() and taker.sync()

    # -------------------------------------------------------------------------------------------------- from several places

    def test_threads_lose_and_mix_nothing(self) -> None:
        """Eight threads at once: each point once, each thread's own in its order."""
        taker = self.make_taker()
        each = 500

        def work(name: str) -> None:
            for number in range(each):
                taker.log({name: float(number)}, step=number)

        threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = self.told(taker)
        if told is not None:
            assert len(told.points) == 8 * each
            for n in range(8):
                mine = [(step, value) for key, step, value, _ in told.points if key == f"t{n}"]
                assert mine == [(number, float(number)) for number in range(each)]

    def test_a_value_that_logs_while_it_is_read(self) -> None:
        """A metric whose `__float__` logs does no harm: both calls are kept, once."""
        taker = self.make_taker()

        class Chatty:
            def __float__(self) -> float:
                taker.log({"inner": 2.0}, step=1)
                return 1.0

        taker.log({"outer": Chatty()}, step=0)
        told = self.told(taker)
        assert told is None or sorted(told.points) == [("inner", 1, 2.0, "f"), ("outer", 0, 1.0, "f")]

    # -------------------------------------------------------------------------------------------------- judging

    def _expect(self, taker: Any, points: list[tuple[str, int | None, float, str]]) -> None:
        told = self.told(taker)
        if told is not None:
            assert list(map(exact, told.points)) == list(map(exact, points))


def exact(point: tuple[str, int | None, float, str]) -> tuple[str, int | None, bytes, str]:
    """Give a point with the bits of its value, so that NaN equals itself and −0.0 is not 0.0."""
    metric, step, value, kind = point
    return metric, step, struct.pack(">d", value), kind


def refusal(kind: type[E], call: Callable[[], object]) -> E:
    """Give the error that a call raises; fail where it raises none."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected, and nothing was raised")
