"""The contract kits, over everything of ours that takes events or answers as a store; and what the fakes themselves promise."""

from __future__ import annotations

import errno
import os
import threading

import pytest

import runfolio
from journal.reading import told_by
from runfolio.journal.files import SYSTEM
from runfolio.journal.writer import Writer
from runfolio.sdk.disabled import DisabledRun
from runfolio.testing.clock import ManualClock
from runfolio.testing.events import EventTakerContract, Told
from runfolio.testing.faulty import Death, FaultyFiles
from runfolio.testing.memory import MemoryStore
from runfolio.testing.store import StoreContract


class WriterContract(EventTakerContract):
    """The journal's writer."""

    mapped = True

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = str(tmp_path)

    def make_taker(self):
        return Writer([lambda: (self.folder, self.mapped)], lambda: {"attempt": 1})

    def told(self, taker):
        return told_by(taker)


class TestMappedWriter(WriterContract):
    mapped = True


class TestPlainWriter(WriterContract):
    mapped = False


class TestMemory(EventTakerContract):
    def make_taker(self):
        self.store = MemoryStore()
        return self.store.start()

    def told(self, taker):
        run = self.store.run(taker.id)
        return Told([(call.metric, call.step, call.value, call.kind) for call in run.calls], run.events)


class TestDisabled(EventTakerContract):
    def make_taker(self):
        return DisabledRun({}, None, None, None)._writer

    def told(self, taker):
        return None


class TestActiveRun(EventTakerContract):
    """A run of the SDK, by its own verbs."""

    def make_taker(self):
        run = runfolio.start(capture=False)
        self.before = len(told_by(run._writer).events)
        return run._writer

    def told(self, taker):
        found = told_by(taker)
        return Told(found.points, found.events[self.before :])


class TestMemoryStore(StoreContract):
    def make_world(self):
        return MemoryStore()


# ------------------------------------------------------------------------------------------------------ the fakes


def test_the_clock_moves_only_when_told():
    """Boot time passes by `pass_s` alone; the wall also jumps."""
    clock = ManualClock(wall_ns=10**9, boot_ns=5)
    clock.pass_s(2)
    clock.set_wall(0)
    clock.pass_ns(1)
    assert (clock.wall_ns(), clock.boot_ns()) == (1, 2 * 10**9 + 6)
    with pytest.raises(ValueError):
        clock.pass_ns(-1)


def test_faults_come_when_told_and_end(tmp_path):
    """The call that was named fails, so many times, with that errno; `heal` ends what has no end."""
    files = FaultyFiles(SYSTEM)
    fd = files.create(str(tmp_path / "file"))
    files.fail("write", errno.ENOSPC, call=2, times=2)
    outcomes = [_errno(lambda: files.write(fd, b"x")) for _ in range(5)]
    assert outcomes == [0, errno.ENOSPC, errno.ENOSPC, 0, 0]
    files.fail("sync", errno.EIO, times=None)
    assert [_errno(lambda: files.sync(fd)) for _ in range(3)] == [errno.EIO] * 3
    files.heal("sync")
    assert _errno(lambda: files.sync(fd)) == 0
    assert (files.count("write"), files.count("sync")) == (5, 4)
    files.close(fd)


def test_a_short_write_and_a_torn_map(tmp_path):
    """A short write says how much it took; a torn store leaves its first bytes and does not return."""
    files = FaultyFiles(SYSTEM)
    fd = files.create(str(tmp_path / "file"))
    files.shorten_write(3)
    assert files.write(fd, b"abcdef") == 3
    files.reserve(fd, 0, 4096)
    view = files.map(fd, 0, 4096)
    view[0:4] = b"1234"
    files.tear(2)
    with pytest.raises(Death):
        view[4:8] = b"5678"
    assert os.pread(fd, 8, 0) == b"123456\0\0"
    files.close(fd)


def test_a_held_call_waits_for_the_gate(tmp_path):
    """A held sync returns only when it is released."""
    files = FaultyFiles(SYSTEM)
    fd = files.create(str(tmp_path / "file"))
    done = threading.Event()
    with files.hold("sync") as held:
        thread = threading.Thread(target=lambda: (files.sync(fd), done.set()))
        thread.start()
        assert held.wait_reached() and not done.is_set()
    thread.join()
    assert done.is_set()
    files.close(fd)


def _errno(call):
    try:
        call()
    except OSError as trouble:
        return trouble.errno
    return 0
