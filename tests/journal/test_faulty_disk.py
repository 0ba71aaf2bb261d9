"""A disk that fails: the writer never raises, loses only what it counts, and claims no more than the disk has said."""

from __future__ import annotations

import errno
import os
import threading

import pytest

from runfolio.journal import frame, scan, tail
from runfolio.journal.files import SYSTEM
from runfolio.testing.clock import ManualClock
from runfolio.testing.faulty import Death, FaultyFiles

from .interrupting import Interrupted, interrupt
from .reading import journals_in, points_of, scan_file
from .writing import make_writer

FULL = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]
BROKEN = [errno.EIO, errno.ESTALE, errno.EROFS]


class Disk:
    """A home and a spool over files that fail when told, and all that was heard."""

    def __init__(self, folder, mapped=True, spool=False):
        self.home, self.spool = str(folder / "first"), str(folder / "second")
        os.makedirs(self.home)
        os.makedirs(self.spool)
        self.files, self.clock, self.heard = FaultyFiles(SYSTEM), ManualClock(), []
        places = (self.home, self.spool) if spool else (self.home,)
        self.writer = make_writer(
            *places, mapped=mapped, files=self.files, clock=self.clock, on_trouble=self.heard.append
        )

    def log(self, *steps):
        for step in steps:
            self.writer.log({"m": float(step)}, step)

    def points(self):
        """Give the steps of all points, in the order of the journals."""
        return [p.step for path in self.journals() for p in points_of(scan_file(path))]

    def journals(self):
        """Give the journals in the order they were opened, each looked at for damage."""
        paths = {os.path.basename(path)[:32]: path for path in journals_in(self.home, self.spool)}
        for path in paths.values():
            found = scan_file(path)
            assert (found.damage, found.torn) == ([], 0), path
        return [paths[name] for name in self.writer.journals if name in paths]

    def told(self, kind):
        """Give the events of one type."""
        return [body for path in self.journals() for _, body in scan.events(scan_file(path)) if body["type"] == kind]


@pytest.fixture(params=[True, False], ids=["mapped", "plain"])
def disk(request, tmp_path):
    """A writer with one place."""
    return Disk(tmp_path, request.param)


# ------------------------------------------------------------------------------------------------------ full


@pytest.mark.parametrize("trouble", FULL, ids=errno.errorcode.get)
def test_F09_a_full_disk_is_counted_and_goes_by_itself(disk, trouble, monkeypatch):
    """Full, then free again: nothing raises, what is missing is counted to the value, the rest is there in order, and the count is told."""
    monkeypatch.setattr(tail, "CHUNKS", (8192,))
    disk.log(*range(10))
    full = "reserve" if disk.writer._places.tail.map is not None else "write"
    disk.files.fail(full, trouble, times=None)
    disk.log(*range(10, 1000))
    kept = disk.points()
    lost = disk.writer.lost
    assert kept == list(range(len(kept)))
    assert (lost.points, lost.calls) == (1000 - len(kept), 1000 - len(kept)) and lost.points > 300
    assert len(set(disk.heard)) == 1
    disk.files.heal()
    disk.clock.pass_s(1)
    disk.log(1000)
    assert disk.points() == [*kept, 1000]
    assert sum(body["points"] for body in disk.told("lost")) == lost.points, "told as soon as there is room"
    assert disk.writer._places.tail.stop > disk.writer._places.tail.off, "the short way is open again"
    disk.log(1001)
    assert disk.writer.close()
    assert disk.points() == [*kept, 1000, 1001]
    assert sum(body["points"] for body in disk.told("lost")) == lost.points
    assert len(disk.writer.journals) == 1


def test_F09_a_full_disk_is_not_asked_at_each_call(disk, monkeypatch):
    """While the disk is full it is asked four times a second, not at each call."""
    monkeypatch.setattr(tail, "CHUNKS", (8192,))
    disk.log(0)
    disk.files.fail("reserve", errno.ENOSPC, times=None)
    disk.files.fail("write", errno.ENOSPC, times=None)
    disk.log(*range(1, 1000))
    before = len(disk.files.calls)
    for _ in range(10):
        disk.log(*range(100))
        disk.clock.pass_s(0.1)
    assert len(disk.files.calls) - before <= 8


def test_F09_the_spool_takes_what_the_home_cannot(tmp_path, disk, monkeypatch):
    """With a spool behind it a full disk loses nothing, and the writer comes home when there is room."""
    monkeypatch.setattr(tail, "CHUNKS", (8192,))
    disk = Disk(tmp_path / "two", mapped=disk.writer._places._folders[0]()[1], spool=True)
    disk.log(0, 1)
    full = "reserve" if disk.writer._places.tail.map else "write"
    disk.files.fail(full, errno.ENOSPC, times=None, folder=disk.home)
    disk.log(*range(2, 600))
    assert disk.writer.spooling and disk.writer.lost == (0, 0, 0)
    disk.writer.beat()
    assert disk.writer.spooling, "still no room at home"
    disk.files.heal()
    disk.writer.beat()
    assert not disk.writer.spooling
    disk.log(600)
    assert disk.writer.close()
    assert disk.points() == list(range(601))
    assert len(journals_in(disk.spool)) == 1 and len(journals_in(disk.home)) == 2


def test_F09_events_are_counted_too(tmp_path):
    """An event that could not be kept is counted as one."""
    disk = Disk(tmp_path)
    disk.files.fail("create", errno.ENOSPC, times=None)
    disk.writer.event({"type": "notes", "text": ""})
    disk.log(1)
    disk.writer.event({"type": "notes", "text": ""})
    assert disk.writer.lost == (1, 1, 2)
    disk.files.heal()
    assert disk.writer.close()
    (told,) = disk.told("lost")
    assert (told["points"], told["calls"], told["events"], told["cause"]) == (1, 1, 2, os.strerror(errno.ENOSPC))


def test_F09_the_end_is_told_on_a_full_disk(tmp_path, monkeypatch):
    """A journal on a disk that stays full still gets the end of its run, the count of what is lost, and its last frame."""
    monkeypatch.setattr(tail, "CHUNKS", (8192,))
    disk = Disk(tmp_path)
    disk.log(0)
    disk.files.fail("reserve", errno.ENOSPC, times=None)
    disk.log(*range(1, 1000))
    disk.clock.pass_s(1)
    disk.writer.event({"type": "finish", "status": "finished"})
    disk.writer.close()
    (told,) = disk.told("lost")
    assert told["points"] == disk.writer.lost.points == 1000 - len(disk.points())
    assert disk.told("finish") and scan_file(disk.journals()[0]).closed


# ------------------------------------------------------------------------------------------------------ short writes


def test_F10_short_writes_are_completed(tmp_path):
    """A write that takes a part is followed by the rest, wherever it is cut."""
    disk = Disk(tmp_path, mapped=False)
    for step in range(60):
        disk.files.shorten_write(step)
        disk.log(step)
    assert disk.writer.close()
    assert disk.points() == list(range(60)) and disk.writer.lost == (0, 0, 0)


@pytest.mark.parametrize("trouble", FULL + BROKEN, ids=errno.errorcode.get)
def test_F10_a_write_that_fails_in_its_middle_leaves_nothing(tmp_path, trouble):
    """A short write, then an error: the piece is cut off again, and what follows stands right behind what was there."""
    disk = Disk(tmp_path, mapped=False)
    disk.log(0, 1, 2)
    disk.files.shorten_write(5)
    disk.files.fail("write", trouble, call=2, times=4)
    for step in (3, 4, 5):
        disk.log(step)
        disk.clock.pass_s(1)
    assert disk.writer.close() in (True, False)
    steps = disk.points()
    assert steps[:3] == [0, 1, 2] and steps[-1] == 5
    assert len(steps) + disk.writer.lost.points == 6


def test_F10_a_piece_that_cannot_be_cut_off_is_left_behind(tmp_path):
    """Where the piece of a frame cannot be cut off either, a new journal begins, and nothing that was acknowledged is lost."""
    disk = Disk(tmp_path, mapped=False)
    disk.log(0, 1, 2)
    disk.files.shorten_write(5)
    disk.files.fail("write", errno.ENOSPC, call=2)
    disk.files.fail("truncate", errno.EIO)
    disk.log(3)
    disk.clock.pass_s(1)
    disk.log(4)
    disk.writer.close()
    first, second = journals_in(disk.home)
    steps = sorted(p.step for path in (first, second) for p in points_of(scan_file(path)))
    assert [step for step in steps if step != 3] == [0, 1, 2, 4]
    assert len(steps) + disk.writer.lost.points == 5


# ------------------------------------------------------------------------------------------------------ maps


@pytest.mark.parametrize("method", ["reserve", "map"])
@pytest.mark.parametrize("trouble", [errno.EOPNOTSUPP, errno.ENODEV, errno.EINVAL, errno.ENOMEM, errno.ENOSYS])
@pytest.mark.parametrize("call", [1, 2, 3])
def test_F15_without_maps_the_writer_writes(tmp_path, method, trouble, call, monkeypatch):
    """No map or no reservation, from the start or later: each call is a write from then on, and nothing is lost or warned of."""
    monkeypatch.setattr(tail, "CHUNKS", (8192,))
    disk = Disk(tmp_path)
    disk.files.fail(method, trouble, call=call, times=None)
    disk.log(*range(2000))
    assert disk.files.count("write") > 500
    assert disk.writer.close()
    assert disk.points() == list(range(2000)) and disk.heard == [] and len(disk.writer.journals) == 1


@pytest.mark.parametrize("cut", range(25))
def test_F01_a_kill_in_the_middle_of_a_copy_into_the_map(tmp_path, cut):
    """A store into the map that is cut after any number of bytes is no frame: all before it are there, none is invented."""
    disk = Disk(tmp_path)
    disk.log(*range(20))
    disk.files.tear(cut)
    with pytest.raises(Death):
        disk.log(20)
    (path,) = journals_in(disk.home)
    found = scan_file(path)
    assert [p.step for p in points_of(found)] == list(range(20 + (cut >= 24)))
    assert found.damage == []


# ------------------------------------------------------------------------------------------------------ syncs


def test_F11_a_failed_sync_is_never_called_done(disk):
    """After a failed sync `sync` is False, also the next time: what was uncertain then is uncertain for ever. A new journal begins."""
    disk.log(0, 1)
    assert disk.writer.sync()
    disk.log(2, 3)
    disk.files.fail("sync", errno.EIO)
    assert not disk.writer.sync()
    disk.log(4)
    assert not disk.writer.sync(), "2 and 3 may be gone after a power cut"
    disk.log(5)
    disk.writer.close()
    first, _ = disk.journals()
    assert disk.points() == [0, 1, 2, 3, 4, 5]
    assert [p.step for p in points_of(scan_file(first))] == [0, 1, 2, 3]
    assert scan_file(first).synced < scan_file(first).end, "no mark behind what failed"
    (told,) = disk.told("uncertain")
    assert (
        told["journal"] == os.path.basename(first)[:32]
        and scan_file(first).synced <= told["from"] < scan_file(first).end
    )


def test_F11_what_is_left_behind_is_synced_too(tmp_path, monkeypatch):
    """`sync` is True only when every journal of this writer was synced, also one that is written no more."""
    monkeypatch.setattr(frame, "TAG_MAX", 3)
    disk = Disk(tmp_path)
    for number in range(8):
        disk.writer.log({f"k{number}": 1.0}, number)
    opened = len(disk.writer.journals)
    assert disk.writer.sync()
    synced = {call.arguments[0] for call in disk.files.calls if call.method == "sync"}
    assert opened == 3 and len(synced) == 3


def test_F11_a_left_journal_whose_sync_fails(tmp_path, monkeypatch):
    """Where the sync of a journal that is written no more fails, `sync` is False, now and later."""
    monkeypatch.setattr(frame, "TAG_MAX", 3)
    disk = Disk(tmp_path)
    for number in range(5):
        disk.writer.log({f"k{number}": 1.0}, number)
    disk.files.fail("sync", errno.EIO)
    assert not disk.writer.sync()
    assert not disk.writer.sync()


def test_F11_two_syncs_at_once_share_no_error(tmp_path):
    """The kernel tells a failed write-back to one caller only: a second sync at the same time may not take the silence for success."""
    disk = Disk(tmp_path)
    disk.log(0, 1)
    second: list[bool] = []
    thread = threading.Thread(target=lambda: second.append(disk.writer.sync()))

    def meanwhile():
        thread.start()
        thread.join(0.5)  # it either waits for us, or is done by now

    disk.files.fail("sync", errno.EIO, call=1)
    disk.files.before("sync", meanwhile)
    assert not disk.writer.sync()
    thread.join()
    assert second == [False]


def test_F11_a_file_whose_sync_failed_is_not_synced_again(disk):
    """The kernel forgets what it could not write: the next sync of the same file would be True, and so it is not even asked."""
    disk.log(0)
    file = disk.writer._places.tail
    disk.files.fail("sync", errno.EIO)
    for _ in range(3):
        with pytest.raises(OSError):
            file.sync()
    assert disk.files.count("sync") == 1


def test_F11_a_failed_sync_at_the_end_is_told(disk):
    """`close` is False where its sync fails."""
    disk.log(0)
    disk.files.fail("sync", errno.EIO)
    assert disk.writer.close() is False
    assert disk.points() == [0]


def test_F05_names_are_synced_with_the_bytes(disk):
    """The first sync also syncs the folder that got a new journal; the next ones do not."""
    disk.log(0)
    assert disk.writer.sync()
    folders = disk.files.count("sync_folder")
    assert folders >= 1
    assert disk.home in [call.arguments[0] for call in disk.files.calls if call.method == "sync_folder"]
    disk.log(1)
    assert disk.writer.sync() and disk.files.count("sync_folder") == folders


@pytest.mark.parametrize("trouble", [errno.EACCES, errno.EMFILE, errno.ENFILE])
def test_F13_a_folder_that_cannot_be_synced_begins_no_new_journal(disk, trouble):
    """No descriptor left for the folder, or no right to read it: the file itself is sound, and no new journal begins at each sync."""
    disk.files.fail("sync_folder", trouble, times=None)
    for step in range(5):
        disk.log(step)
        assert not disk.writer.sync()
    assert len(disk.writer.journals) == 1
    disk.files.heal()
    assert disk.writer.sync() and disk.points() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("trouble", [errno.EINVAL, errno.EOPNOTSUPP])
def test_F15_a_file_system_that_syncs_no_folders(disk, trouble):
    """Where folders cannot be synced at all the file's own sync is what there is."""
    disk.files.fail("sync_folder", trouble, times=None)
    disk.log(0)
    assert disk.writer.sync() and disk.heard == []


def test_F14_no_call_waits_for_a_slow_sync(disk):
    """While a sync hangs, calls go on; the sync covers what was there when it began."""
    disk.log(0)
    with disk.files.hold("sync") as held:
        thread = threading.Thread(target=disk.writer.sync)
        thread.start()
        assert held.wait_reached()
        disk.log(*range(1, 1000))
        disk.writer.event({"type": "notes", "text": ""})
        disk.writer.beat()
        assert disk.points() == list(range(1000))
        assert thread.is_alive()
    thread.join()
    (path,) = disk.journals()
    (mark,) = [frame.parse_sync(good.payload) for good in scan_file(path).frames if good.tag == frame.SYNC]
    assert mark == scan_file(path).frames[2].offset, "only what stood there when it began"


def test_F14_growing_and_new_journals_wait_for_no_sync(tmp_path, monkeypatch):
    """Reserving more space and going to another file happen beside a hanging sync too."""
    monkeypatch.setattr(tail, "CHUNKS", (8192,))
    monkeypatch.setattr(frame, "TAG_MAX", 4)
    disk = Disk(tmp_path)
    disk.log(0)
    with disk.files.hold("sync") as held:
        thread = threading.Thread(target=disk.writer.sync)
        thread.start()
        assert held.wait_reached()
        for number in range(2000):
            disk.writer.log({f"k{number % 12}": 1.0, "m": 1.0}, number)
        assert len(disk.writer.journals) == 4 or len(disk.writer.journals) > 1
    thread.join()
    assert disk.writer.close()


# ------------------------------------------------------------------------------------------------------ broken


@pytest.mark.parametrize("trouble", BROKEN, ids=errno.errorcode.get)
def test_F11_a_file_that_cannot_be_written_is_left(tmp_path, trouble):
    """EIO, a stale handle, a file system that turned read-only: the writer goes on in a new journal and loses nothing."""
    disk = Disk(tmp_path, mapped=False)
    disk.log(*range(5))
    disk.files.fail("write", trouble, times=3)
    disk.log(*range(5, 10))
    assert disk.writer.lost == (0, 0, 0) and disk.points() == list(range(10))
    disk.writer.close()
    assert disk.points() == list(range(10))


def test_F26_an_interrupt_in_a_system_call(tmp_path):
    """Ctrl-C while a system call waits, before it had an effect: the call is not kept, everything else is."""
    for mapped in (True, False):
        for method in ("create", "reserve", "map", "write", "sync", "sync_folder", "truncate", "close"):
            disk = Disk(tmp_path / f"{mapped}-{method}", mapped=mapped)
            disk.files.before(method, interrupt)
            done = []
            for step in range(3000):
                try:
                    disk.log(step)
                    done.append(step)
                    if step == 1500:
                        disk.writer.sync()
                except Interrupted:
                    pass
            try:
                disk.writer.close()
            except Interrupted:
                disk.writer.close()
            assert set(done) <= set(disk.points()) and len(done) >= 2998
            assert len(disk.points()) == len(set(disk.points())), method
