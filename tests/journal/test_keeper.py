"""The keeper: syncs and beats beside the script, may start again, and ends."""

from __future__ import annotations

import gc
import threading

from runfolio.journal import frame, keeper
from runfolio.journal.files import SYSTEM
from runfolio.journal.keeper import Keeper
from runfolio.testing.faulty import FaultyFiles

from .reading import scan_file
from .writing import make_writer


def within(call, timeout_s=20.0):
    """Fail where a call does not return."""
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(timeout_s)
    assert not thread.is_alive(), "it hangs"


def wait_for(done, timeout_s=20.0):
    """Wait until something is so."""
    ready = threading.Event()

    def look():
        while not done() and not ready.wait(0.005):
            pass
        ready.set()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    assert ready.wait(timeout_s), "it never came"
    thread.join()


def test_it_syncs_and_beats(tmp_path, monkeypatch):
    """Without a call of the script's there are sync marks and heartbeats."""
    monkeypatch.setattr(keeper, "BEAT_EVERY_S", 0.02)
    writer = make_writer(tmp_path)
    writer.log({"a": 1.0})
    tending = Keeper(writer, 0.01)
    tending.start()
    wait_for(lambda: {frame.SYNC, frame.BEAT} <= {good.tag for good in scan_file(writer.path).frames})
    tending.stop()
    writer.close()


def test_it_may_start_again(tmp_path):
    """A keeper that was stopped starts again, as when a journal is opened only to tell at the end what was lost."""
    writer = make_writer(tmp_path)
    tending = Keeper(writer, 0.01)
    for _ in range(3):
        within(tending.start)
        within(tending.stop)
    within(tending.start)
    writer.log({"a": 1.0})
    wait_for(lambda: any(good.tag == frame.SYNC for good in scan_file(writer.path).frames))
    within(tending.stop)


def test_it_starts_again_while_the_old_one_still_waits_for_the_disk(tmp_path):
    """A stop that gave up waiting for a hanging sync hinders no later start or stop."""
    files = FaultyFiles(SYSTEM)
    writer = make_writer(tmp_path, files=files)
    writer.log({"a": 1.0})
    tending = Keeper(writer, 0.01)
    with files.hold("sync") as held:
        tending.start()
        assert held.wait_reached()
        within(lambda: tending.stop(wait_s=0.01))
        within(tending.start)
        within(lambda: tending.stop(wait_s=0.01))
    within(writer.close)


def test_a_chore_that_raises_ends_nothing(tmp_path):
    """Trouble in one round does not end the keeper."""
    writer = make_writer(tmp_path)
    writer.log({"a": 1.0})
    rounds = []

    def chore():
        rounds.append(1)
        raise MemoryError

    tending = Keeper(writer, 0.01, chore)
    tending.start()
    wait_for(lambda: len(rounds) > 3)
    tending.stop()
    assert writer.close()


def test_it_ends_with_its_writer(tmp_path):
    """A writer that nobody holds any more is not kept alive by its keeper."""
    threads = threading.active_count()
    writer = make_writer(tmp_path)
    tending = Keeper(writer, 0.01)
    tending.start()
    done = tending._done
    del writer
    gc.collect()
    within(lambda: done.acquire())
    assert threading.active_count() <= threads + 1
