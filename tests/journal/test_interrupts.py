"""F26: Ctrl-C, or a handler that logs, at every place of a call: nothing acknowledged is lost, nothing doubled, the journal stays whole."""

from __future__ import annotations

import os
import threading

import pytest

from runfolio.journal import frame, tail
from runfolio.journal.files import SystemFiles
from runfolio.journal.writer import FINAL

from .interrupting import Interrupt, Interrupted, every_place, interrupt
from .reading import JournalColumns, assert_agree, float_of, points_of, scan_file
from .writing import make_writer

LOGS = {
    "log known keys": lambda w: w.log({"a": 50.0}, 50),
    "log the next step": lambda w: w.log({"a": 50.0}),
    "log new keys": lambda w: w.log({"new": 50.0, "n": 1}, 50),
    "log final": lambda w: w.log({"a": 50.0}, FINAL),
    "log a step far away": lambda w: w.log({"a": 50.0}, 2**40),
}
CALLS = LOGS | {
    "event": lambda w: w.event({"type": "notes", "text": "x" * 10_000}),
    "beat": lambda w: w.beat(),
    "sync": lambda w: w.sync(),
}


class NoDisk(SystemFiles):
    """Files that wait for no disk: a thousand writers are made here."""

    def sync(self, fd):
        pass


def fresh(folder, mapped, fill):
    """Make a writer that knows the key set `a`; `fill` brings it to a block's end."""
    writer = make_writer(folder, mapped=mapped, files=NoDisk())
    steps = (frame.BLOCK_BYTES // 24 if fill else 5) + 1
    for step in range(-steps, 0):
        writer.log({"a": float(step)}, step)
    return writer, steps


def acked(writer):
    """Give the points that the journals of a writer hold, after a look at their soundness."""
    found = []
    for journal_id in writer.journals:
        path = os.path.join(writer.folder, journal_id + ".jnl")
        scanned = scan_file(path)
        assert (scanned.damage, scanned.torn) == ([], 0)
        assert [good.seq for good in scanned.frames] == list(range(len(scanned.frames)))
        journal = JournalColumns(path)
        journal.refresh()
        assert_agree(journal, scanned)
        found += [(p.metric, p.step, float_of(p.bits)) for p in points_of(scanned)]
    return found


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Keep files small, so that a thousand of them are made in no time."""
    monkeypatch.setattr(frame, "BLOCK_BYTES", 1024)
    monkeypatch.setattr(tail, "CHUNKS", (8192,))


@pytest.mark.parametrize("fill", [False, True], ids=["", "block due"])
@pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "plain"])
@pytest.mark.parametrize("call", CALLS)
def test_F26_an_interrupt_anywhere_in_a_call(tmp_path, mapped, call, fill):
    """After an interrupt at any place the writer goes on: all that was and will be acknowledged is there once, and no thread waits."""
    places = 0
    for attempt in every_place():
        writer, steps = fresh(tmp_path, mapped, fill)
        try:
            attempt.during(CALLS[call], writer)
        except Interrupted:
            places += 1
        check_goes_on(writer, steps, str(tmp_path))
    assert places > 3


def check_goes_on(writer, steps, folder):
    """Fail unless the writer still takes calls, from another thread too, and holds what it should."""
    thread = threading.Thread(target=writer.log, args=({"a": 100.0}, 100))
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "the lock is held for ever"
    writer.log({"a": 101.0}, 101)
    writer.event({"type": "notes", "text": "after"})
    assert writer.sync() and writer.close()
    holder = Holder(writer, folder)
    points = acked(holder)
    mine = [point for point in points if point[2] not in (50.0, 1.0)]
    expected = [("a", step, float(step)) for step in range(-steps, 0)]
    assert mine == [*expected, ("a", 100, 100.0), ("a", 101, 101.0)]
    assert sum(value == 50.0 for _, _, value in points) <= 1
    assert writer.lost == (0, 0, 0)


class Holder:
    """A closed writer's journals and where they are."""

    def __init__(self, writer, folder):
        self.journals, self.folder = writer.journals, folder


@pytest.mark.parametrize("fill", [False, True], ids=["", "block due"])
@pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "plain"])
@pytest.mark.parametrize("call", CALLS)
def test_F26_a_call_from_anywhere_in_a_call(tmp_path, mapped, call, fill):
    """A handler that logs and tells at any place of a call: both calls are kept, once, and the order is whole."""
    writer, steps = fresh(tmp_path, mapped, fill)

    def handler():
        writer.log({"inner": 7.0}, 7)
        writer.event({"type": "inner"})

    for attempt in every_place(handler):
        attempt.during(CALLS[call], writer)
        assert writer.close()
        points = acked(Holder(writer, str(tmp_path)))
        assert points.count(("inner", 7, 7.0)) == (attempt.count >= attempt.place)
        assert sum(value == 50.0 for _, _, value in points) == (call in LOGS)
        assert len([point for point in points if point[2] < 0]) == steps
        writer, steps = fresh(tmp_path, mapped, fill)


@pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "plain"])
@pytest.mark.parametrize("call", CALLS)
def test_F26_a_handler_that_logs_and_raises(tmp_path, mapped, call):
    """Ctrl-C with a handler that logs first: what it has logged is in the file at once, whether or not a further call comes."""
    writer, _ = fresh(tmp_path, mapped, fill=False)

    def handler():
        writer.log({"inner": 7.0}, 7)
        interrupt()

    for attempt in every_place(handler):
        try:
            attempt.during(CALLS[call], writer)
        except Interrupted:
            assert acked(Holder(writer, str(tmp_path))).count(("inner", 7, 7.0)) == 1
        writer.close()
        writer, _ = fresh(tmp_path, mapped, fill=False)


@pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "plain"])
def test_F26_handlers_at_every_place_of_a_call(tmp_path, mapped):
    """Handlers that log one after the other, also while what others left is written down: each point is kept, once."""
    writer, _ = fresh(tmp_path, mapped, fill=False)
    calls = 0

    def handler():
        nonlocal calls
        calls += 1
        writer.log({"inner": float(calls)}, calls)

    def log_ten():
        for step in range(10):
            writer.log({"a": 50.0}, step)

    Interrupt(1, handler, more=300).during(log_ten)
    assert calls > 100 and writer.close()
    points = acked(Holder(writer, str(tmp_path)))
    assert sorted(step for key, step, _ in points if key == "inner") == list(range(1, calls + 1))
    assert [step for key, step, value in points if value == 50.0 and key == "a"] == list(range(10))
