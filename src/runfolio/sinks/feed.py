"""Feed one sink from a thread of its own, so that nothing it does is felt elsewhere.

Whoever follows the run puts entries in; the thread hands them to the sink, in order, and calls again what has raised,
with growing pauses. A feed never raises and never blocks. What it cannot hand over it counts: the run has it all.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from runfolio.errors import MissingExtra, UsageError
from runfolio.model.events import Event
from runfolio.sinks.delivery import Delivery, Part, counts, parts_of
from runfolio.sinks.memory import Memory
from runfolio.sinks.sent_before import SentBefore
from runfolio.sinks.sink import About, Sink

if TYPE_CHECKING:
    from runfolio.store.follow import Entry

QUEUE_BYTES = 64 * 2**20
TAKE_MAX = 1000  # entries taken from the queue at once: what MLflow takes in one batch of ten metrics, ten times over
FACTS_MAX = 10_000  # events that a full queue lays aside
FIRST_PAUSE_S = 0.5
PAUSE_MAX_S = 30.0
PROBE_EVERY = 3  # failures of the same part, after which it is looked for the one entry that is to blame
PROBE_MAX = 8
STRIKES = 4

_CALL_BYTES = 250  # of a call in memory, and of each of its values: measured, a dict's key is shared
_VALUE_BYTES = 60


class Told(NamedTuple):
    """What became of a run's calls and records: sent, dropped, or none of both (still waiting, or sent before)."""

    sent: int = 0
    dropped: int = 0
    retried: int = 0  # times that a method of the sink was called again
    error: str | None = None  # the last one; None where everything went well in the end


class Feed:
    """A sink and the queue before it.

    A full queue drops its oldest calls and records: of a curve that another tracker shows, the end matters more than
    the middle, and what it must know besides (params, summary, tags) is laid aside and not dropped.
    What an earlier feed of this run has sent to the same place is left out: it is remembered beside the run.

    Contract: `put` and `told` from any thread, `close` once. No method raises. The thread is a daemon.
    """

    def __init__(
        self,
        sink_maker: Callable[[], Sink],
        about: About,
        kind: str,
        on_trouble: Callable[[str], None],
        *,
        queue_bytes: int = QUEUE_BYTES,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._make, self._about, self._kind, self._on_trouble = sink_maker, about, kind, on_trouble
        self._queue_bytes, self._first_pause_s = queue_bytes, first_pause_s
        self._changed = threading.Condition()
        self._queue: deque[tuple[Entry, int]] = deque()
        self._size = 0
        self._facts: deque[Event] = deque()  # older than all in the queue
        self._sent = self._dropped = self._retried = 0
        self._in_hand = 0  # calls and records that the thread has taken and not yet sent or dropped
        self._error: str | None = None  # of the last call of the sink
        self._lasting: str | None = None  # of what was dropped for it
        self._warned = self._closing = self._given_up = self._done = False
        self._end: tuple[str, str | None] = ("running", None)
        self._at = "open"  # the method that the sink is in
        self._thread = threading.Thread(target=self._run, name=f"runfolio-sink-{kind}", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads
            self._done = True
            self._lasting = self._trouble(error, lasting=True)

    # ---------------------------------------------------------------------------------------------------- from outside

    def put(self, entry: Entry) -> None:
        """Queue an entry of the run."""
        with self._changed:
            if self._closing or self._done:
                self._dropped += counts(entry)
                return
            size = _size_of(entry)
            self._queue.append((entry, size))
            self._size += size
            while self._size > self._queue_bytes and self._queue:
                self._drop_oldest()
            self._changed.notify_all()

    @property
    def told(self) -> Told:
        """What has become of the entries so far."""
        with self._changed:
            return self._told()

    def close(self, status: str, reason: str | None, timeout_s: float) -> Told:
        """Hand over what waits, end the run over there, and tell; after `timeout_s` give up what is left."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            self._closing, self._end = True, (status, reason)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._done, max(0.0, deadline - time.monotonic()))
            if not self._done:
                self._give_up(timeout_s)
            return self._told()

    def _told(self) -> Told:
        return Told(self._sent, self._dropped, self._retried, self._error or self._lasting)

    def _give_up(self, timeout_s: float) -> None:
        self._given_up = self._done = True
        left = self._in_hand + sum(counts(entry) for entry, _ in self._queue)
        self._dropped += left
        why = f"; before that: {self._error}" if self._error else ""
        self._error = f"gave up after {timeout_s:g} s, in {self._at}{why}"
        self._queue.clear()
        self._facts.clear()
        self._changed.notify_all()

    def _drop_oldest(self) -> None:
        entry, size = self._queue.popleft()
        self._size -= size
        if not counts(entry) and len(self._facts) < FACTS_MAX:
            assert isinstance(entry, Event)
            self._facts.append(entry)
            return
        self._dropped += counts(entry)

    # -------------------------------------------------------------------------------------------------- on the thread

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # a fault of ours or of the sink's maker: nothing may come out of here
            self._lasting = self._trouble(error, lasting=True)
        with self._changed:
            if not self._given_up:
                self._dropped += self._in_hand + sum(counts(entry) for entry, _ in self._queue)
                self._queue.clear()
                self._in_hand = 0
            self._closing = self._done = True
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            sink = self._make()
        except (MissingExtra, UsageError) as error:  # waiting would not mend it
            self._lasting = self._trouble(error, lasting=True)
            return
        delivery = Delivery(sink, self._about)
        if not self._until_done("open", lambda: sink.open(self._about)):
            return
        sent_before = SentBefore(Memory(self._about.folder, self._kind, sink.target))
        hands = _Hands(delivery)
        while not self._given_up and self._fill(hands, sent_before, wait=hands.are_empty):
            self._empty(hands)
            if hands.are_empty and not self._given_up:
                sent_before.settle()
        if not self._given_up:
            sent_before.keep()
            self._until_done("close", lambda: sink.close(*self._end))

    def _fill(self, hands: _Hands, sent_before: SentBefore, *, wait: bool) -> bool:
        """Take entries from the queue; say whether there is anything to do."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._queue or self._facts or self._closing)
            taken: list[Entry] = []
            if hands.has_room:
                taken += self._facts
                self._facts.clear()
            while self._queue and hands.has_room and len(taken) < TAKE_MAX:
                entry, size = self._queue.popleft()
                self._size -= size
                taken.append(entry)
            fresh = sent_before.sift(taken)
            self._in_hand += sum(map(counts, fresh))
        hands.waiting.extend(parts_of(fresh))
        return bool(taken) or not hands.are_empty

    def _empty(self, hands: _Hands) -> None:
        """Hand over what is in hand; come back when it is gone, or when more of the queue may tell what is wrong."""
        while hands.waiting and not self._given_up:
            if self._offer(hands, hands.waiting[0]) is None:
                self._count(hands.waiting.popleft(), None)
                hands.failures = 0
                continue
            hands.failures += 1
            its_probe = hands.failures % PROBE_EVERY == 0
            if its_probe and self._probe(hands):
                hands.failures = 0
                continue
            self._pause(hands.failures)
            if its_probe:
                return
        if hands.suspects and not self._given_up:
            self._offer_suspects(hands)
            self._pause(1)

    def _probe(self, hands: _Hands) -> bool:
        """Try the first entries one by one. Where some pass, those that do not are suspected to be to blame themselves.

        Where none passes the other side is away, and all are kept; but one that is alone at the end has had its time.
        """
        singles = deque(single for part in hands.waiting for single in part.singles())
        tried = [singles.popleft() for _ in range(min(PROBE_MAX, len(singles)))]
        errors = [self._offer(hands, part) for part in tried]
        hands.waiting.clear()
        if all(errors) and not (len(tried) == 1 and self._closing):
            hands.waiting.extend(_joined([*tried, *singles]))
            return False
        for part, error in zip(tried, errors, strict=True):
            if error is None:
                self._count(part, None)
            else:
                hands.suspects.append((part, 1))
        hands.waiting.extend(_joined(singles))
        return True

    def _offer_suspects(self, hands: _Hands) -> None:
        """Try again what failed where others passed; drop it for the last of its strikes."""
        suspects, hands.suspects = hands.suspects, []
        for part, strikes in suspects:
            error = self._offer(hands, part)
            if error is not None and strikes + 1 < STRIKES:
                hands.suspects.append((part, strikes + 1))
            else:
                self._count(part, error)

    def _offer(self, hands: _Hands, part: Part) -> str | None:
        return self._try(hands.delivery.name_of(part), partial(hands.delivery.hand_over, part))

    def _until_done(self, name: str, act: Callable[[], None]) -> bool:
        failures = 0
        while not self._given_up:
            if self._try(name, act) is None:
                return True
            failures += 1
            self._pause(failures)
        return False

    def _try(self, name: str, act: Callable[[], None]) -> str | None:
        """Call the sink; return what it raised, or None."""
        self._at = name
        try:
            act()
        except (Exception, SystemExit) as error:
            with self._changed:
                self._retried += 1
            return self._trouble(error)
        with self._changed:
            if not self._given_up:
                self._error = None
        return None

    def _pause(self, failures: int) -> None:
        """Wait before the next try; an end that is asked for meanwhile makes the next tries come sooner."""
        pause_s = min(self._first_pause_s * 2.0 ** min(failures - 1, 30), PAUSE_MAX_S)
        with self._changed:
            was_closing = self._closing
            if was_closing:
                pause_s = min(pause_s, self._first_pause_s)
            self._changed.wait_for(lambda: self._given_up or self._closing != was_closing, pause_s)

    def _count(self, part: Part, error: str | None) -> None:
        counted = sum(map(counts, part.entries))
        with self._changed:
            if self._given_up:
                return
            self._in_hand -= counted
            if error is None:
                self._sent += counted
            else:
                self._dropped += counted
                self._lasting = error

    def _trouble(self, error: BaseException, *, lasting: bool = False) -> str:
        """Note what was raised, and tell of the first."""
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
        with self._changed:
            if not self._given_up:
                self._error = text
            first, self._warned = not (self._warned or self._given_up), True
        if not first:
            return text
        then = "nothing is sent there" if lasting else "it is tried again"
        try:
            self._on_trouble(f"feeding {self._kind} failed, in {self._at}: {text}; {then}. The run itself is whole")
        except Exception:  # a feed never raises, whatever it tells
            print(f"runfolio: feeding {self._kind} failed: {text}", file=sys.stderr)
        return text


class _Hands:
    """What the thread has taken and not yet sent or dropped."""

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.waiting: deque[Part] = deque()
        self.suspects: list[tuple[Part, int]] = []  # with their strikes: what failed where others passed
        self.failures = 0  # in a row

    @property
    def has_room(self) -> bool:
        """Say whether more may be taken: while the other side is away, what waits stays in the queue, which is bounded."""
        return sum(len(part.entries) for part in self.waiting) < TAKE_MAX

    @property
    def are_empty(self) -> bool:
        return not self.waiting and not self.suspects


def _joined(parts: Sequence[Part] | deque[Part]) -> Iterator[Part]:
    yield from parts_of([entry for part in parts for entry in part.entries])


def _size_of(entry: Entry) -> int:
    if isinstance(entry, Event):
        return 2 * _CALL_BYTES + 2 * len(str(entry.body))
    return _CALL_BYTES + _VALUE_BYTES * len(entry.values)
