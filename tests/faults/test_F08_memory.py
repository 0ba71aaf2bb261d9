"""F8: no memory: log() does not raise, what could not be kept is counted, and the journal stays whole."""

from __future__ import annotations

import errno
import os

import pytest

from journal.reading import told_by
from journal.writing import make_writer
from runfolio.journal import frame
from runfolio.journal.files import SystemFiles
from runfolio.testing.clock import ManualClock

from .harness import Child, judge
from .tools import need_failing_allocations


class NoDisk(SystemFiles):
    """Files that wait for no disk: hundreds of writers are made here."""

    def sync(self, fd):
        pass


def known_keys(writer):
    for step in range(300):
        writer.log({"a": 1.0}, step)


def other_keys(writer):
    for step in range(300):
        writer.log({"b": 1.0}, step)


def block_due(writer):
    for step in range(frame.BLOCK_BYTES // 24 - 3):
        writer.log({"b": 1.0}, step)


def no_file(_writer):
    pass


@pytest.mark.parametrize(
    "call, before, mapped",
    [
        ("log", known_keys, True),
        ("log", known_keys, False),
        ("log", other_keys, True),
        ("log", block_due, True),
        ("log", no_file, True),
        ("event", known_keys, True),
        ("event", no_file, False),
    ],
)
def test_F08_the_nth_allocation_fails(tmp_path, call, before, mapped, monkeypatch, record_property):
    """Whichever allocation of a call fails: nothing is raised, the point is kept or counted as lost, and the next calls are kept."""
    testcapi = need_failing_allocations()
    monkeypatch.setattr(frame, "BLOCK_BYTES", 8 << 10)
    failed = 0
    for number in range(1, 80):
        heard = []
        clock = ManualClock()
        writer = make_writer(tmp_path, mapped=mapped, files=NoDisk(), on_trouble=heard.append, clock=clock)
        before(writer)
        act, told = (writer.log, ({"a": 2.0}, 9999)) if call == "log" else (writer.event, ({"type": "x"},))
        testcapi.set_nomemory(number, number + 1)
        try:
            act(*told)
        except SystemError:
            pass  # CPython's own: a frame that could not be made, without an exception set
        finally:
            testcapi.remove_mem_hooks()
        clock.pass_s(1)
        writer.log({"after": 1.0}, 10_000)
        writer.event({"type": "after"})
        assert writer.sync() in (True, False) and writer.close() in (True, False)
        told = told_by(writer)
        kept = told.points.count(("a", 9999, 2.0, "f")) if call == "log" else told.events.count({"type": "x"})
        lost = writer.lost.calls if call == "log" else writer.lost.events
        assert kept + lost in (0, 1) and told.points[-1][0] == "after" and told.events[-1]["type"] in ("after", "lost")
        assert sum(body.get("points", 0) for body in told.events) == writer.lost.points
        assert len(told.points) == len(set(told.points))
        assert heard == [os.strerror(errno.ENOMEM)] * len(heard)
        failed += kept == 0
    assert failed
    if (call, before, mapped) == ("log", known_keys, True):
        record_property("F8", f"79 allocations failed one by one: {failed} points counted as lost, 0 raised")


@pytest.mark.parametrize("plain", [False, True], ids=["mapped", "plain"])
def test_F08_an_address_space_that_is_full(tmp_path, plain, record_property):
    """A script at its memory limit logs on: every call that returned is kept or counted, and its own MemoryErrors stay its own."""
    store = tmp_path / "store"
    env = {"RUNFOLIO_DIR": str(store), **({"RUNFOLIO_MAP": "0"} if plain else {})}
    child = Child("hungry.py", env=env)
    code, out, err = child.end()
    assert code == 0, err
    calls, lost, own = map(int, out.split())
    report = judge([store], {0: calls - 1}, in_flight=0)
    assert (report.lost, report.invented, report.doubled) == (lost, 0, 0) and own > 0
    assert err.count("trouble") <= 1, err
    record_property(
        "F8", f"{calls} calls at the limit, {own} MemoryErrors of the script's own, {lost} points lost and counted"
    )
