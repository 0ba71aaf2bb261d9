"""What a review found wrong, and must not come back: sealers that overtake each other, processes that cannot be seen, full disks without links."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

import runfolio
from runfolio.errors import StoreNotFound
from runfolio.journal.identity import identity, lives, pid_start
from runfolio.journal.writer import Writer
from runfolio.model.ids import new_id
from runfolio.query.store import Store
from runfolio.store.blobs import DRAFT_SUFFIX, draft_in, signer_is_gone
from runfolio.store.edits import delete
from runfolio.store.gc import collect
from runfolio.store.liveness import ALIVE, DEAD, UNKNOWN, process_of
from runfolio.store.run_files import journal_files
from runfolio.store.seal import seal
from runfolio.store.watch import GONE, Here, begin, look, watch
from runfolio.testing.clock import ManualClock

from .making import child, start, the_layout

# ------------------------------------------------------------------------------------- two sealers, and gc between them


@pytest.mark.parametrize("by_gc", [True, False])
@pytest.mark.parametrize("file", [0, 1])
def test_F52_an_overtaken_sealer_takes_nothing_away(by_gc: bool, file: int) -> None:
    """A sealer that looked before the last journal was closed keeps every point, though another sealed all and the journals went.

    gc itself keeps them while a sealer is at work; were they to go all the same, the slow sealer starts over.
    """

    def act() -> None:
        run = start()
        for step in range(10):
            run.log({"a": 1.0}, step=step)
        with runfolio.attach(run.id) as other:
            for step in range(10, 15):
                other.log({"a": 2.0}, step=step)
        whole_drafts = []

        def overtake() -> None:
            run.finish()
            assert seal(the_layout(), run.id).journals == 2
            if by_gc:
                assert collect(the_layout(), journals=True).journals == 0
            else:
                for path in journal_files(the_layout().run_journal(run.id)):
                    os.unlink(path)

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            """Overtake the sealer when its draft is whole, just before it comes into place."""
            if event == "open" and str(arguments[0]).endswith(DRAFT_SUFFIX) and arguments[1] is None:
                if not arguments[2] & os.O_CREAT and arguments[2] & os.O_RDWR:
                    whole_drafts.append(arguments[0])
                    if len(whole_drafts) == file + 1:
                        overtake()

        sys.addaudithook(hook)
        seal(the_layout(), run.id)
        assert len(whole_drafts) > file

    assert child(act) == 0
    (run_id,) = os.listdir(the_layout().runs)
    with runfolio.open_store() as store:
        run = store.run(run_id)
        assert (len(run.series("a")), run.status, run.warnings) == (15, "finished", [])
    assert sorted(os.listdir(the_layout().run(run_id))) == ["journal", "metrics.parquet", "run.json"]
    assert collect(the_layout(), journals=True).journals == (2 if by_gc else 0)


# ---------------------------------------------------------------------------------------- processes that cannot be seen


def _hide_the_processes_of_others() -> None:
    """Mount, for this process alone, a /proc that shows a user only his own processes; then be such a user."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(0x00020000) == 0, os.strerror(ctypes.get_errno())  # CLONE_NEWNS
    for arguments in ("--make-rprivate /", "-t proc -o hidepid=2 proc /proc"):
        subprocess.run(["mount", *arguments.split()], check=True)
    os.setgroups([])
    os.setresgid(54321, 54321, 54321)
    os.setresuid(54321, 54321, 54321)


@pytest.mark.root
def test_F18_a_process_that_proc_hides_is_not_dead() -> None:
    """Where /proc hides the processes of others, a live writer of another user is not judged dead, nor its drafts left behind."""
    opening, draft = identity(), draft_in("anywhere")
    gone = os.fork()
    if not gone:
        os._exit(0)
    os.waitpid(gone, 0)

    def act() -> None:
        _hide_the_processes_of_others()
        assert not os.path.exists(f"/proc/{opening['pid']}")
        assert process_of(opening) == UNKNOWN
        assert not signer_is_gone(draft)
        assert process_of({**opening, "pid": gone}) == DEAD
        assert process_of(identity()) == ALIVE

    assert child(act) == 0


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1, 2**70])
def test_F18_a_number_that_no_process_can_have_is_of_a_dead_one(pid: int) -> None:
    """Nobody is signalled to learn that a process is gone."""
    assert process_of({**identity(), "pid": pid}) == DEAD


def test_F18_a_process_whose_state_cannot_be_read_is_not_dead() -> None:
    """With no descriptor left to open /proc with, a live writer is not judged dead."""
    opening = {**identity(), "pid": os.getppid(), "pid_start": None}

    def act() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        assert lives(opening["pid"], None) is None

    assert child(act) == 0
    assert process_of(opening) == ALIVE


# ------------------------------------------------------------------------------- runs that go on where nobody sees them


def closed_without_an_end(process: dict[str, Any]) -> str:
    """Begin a run whose starter closed its journal here and told no end, as one does that goes on in the spool of its own machine."""
    run_id, layout = new_id(), the_layout()
    layout.create()
    os.makedirs(layout.run_journal(run_id))
    opening = {"run": run_id, "attempt": 1, "rank": None, "role": "start", **process, "version": "0"}
    writer = Writer([lambda: (layout.run_journal(run_id), False)], lambda: opening)
    writer.event({"type": "run", "experiment": "x", "experiment_id": None, "name": None})
    writer.log({"a": 1.0}, 0)
    writer.close()
    return run_id


def collected(run_id: str) -> bool:
    delete(the_layout(), run_id)
    return collect(the_layout(), wait=lambda: None).runs == [run_id]


def test_F25_a_process_that_goes_on_unseen_keeps_its_run() -> None:
    """Where the journals are closed, no end is told and the process lives, the run is running, and gc leaves it alone though deleted."""
    run_id = closed_without_an_end(identity())
    with runfolio.open_store() as store:
        assert store.run(run_id).status == "running"
    assert not collected(run_id)
    with runfolio.open_store() as store:
        assert store.run(run_id).series("a").values.tolist() == [1.0]


def test_F25_a_process_that_went_on_unseen_and_died() -> None:
    """When that process is gone, the run reads as killed, whatever the index knew before, and gc may have it."""
    process = subprocess.Popen(["sleep", "100"])
    run_id = closed_without_an_end({**identity(), "pid": process.pid, "pid_start": pid_start(process.pid)})
    clock = ManualClock()
    with Store(the_layout(), clock) as store:
        assert store.run(run_id).status == "running"
        process.kill()
        process.wait()
        clock.pass_s(1)
        assert store.run(run_id).status == "killed"
        shutil.rmtree(os.path.dirname(store._index.cache.path))
    with Store(the_layout(), clock) as store:
        assert store.run(run_id).status == "killed"
    assert collected(run_id)


def test_F25_closed_elsewhere_without_an_end_is_lost() -> None:
    """Of a process that cannot be judged from here, closed journals without an end make a lost run, as ever."""
    run_id = closed_without_an_end({**identity(), "host": "elsewhere", "boot_id": "another"})
    with runfolio.open_store() as store:
        assert store.run(run_id).status == "lost"


# ----------------------------------------------------------------------------------- a full disk that knows no hard links


def test_F09_a_full_disk_without_links_leaves_no_empty_file() -> None:
    """Where there are no hard links and the disk is full, what cannot be written is not there, and can be written later."""
    layout = the_layout()

    def act() -> None:
        def no_links(*_: object) -> None:
            raise OSError(errno.EPERM, "no links here")

        os.link = no_links  # as on vfat and some FUSE file systems
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        os.makedirs(layout.root)
        created = []

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open" and arguments[0] == layout.store_json and isinstance(arguments[2], int):
                if arguments[2] & os.O_CREAT and not created:
                    created.append(1)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))  # full from here on

        sys.addaudithook(hook)
        with pytest.raises(OSError):
            layout.create()
        assert created and not os.path.exists(layout.store_json)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        layout.create()

    assert child(act) == 0
    assert layout.store_id() == layout.create()
    assert os.listdir(layout.root).count("store.json") == 1


def test_F44_an_empty_store_json_is_not_there_yet() -> None:
    """One that was just made may be filled by whoever made it; one left empty is replaced, by one of all who come."""
    layout = the_layout()
    os.makedirs(layout.root)
    open(layout.store_json, "w").close()
    with pytest.raises(StoreNotFound):
        layout.create()
    assert os.path.getsize(layout.store_json) == 0
    os.utime(layout.store_json, (1, 1))
    assert layout.create() == layout.create() == layout.store_id()
    assert sorted(os.listdir(layout.root)) == ["blobs", "claims", "journal", "runs", "store.json"]


# ------------------------------------------------------------------------------------------- two machines of one name


def test_F18_another_boot_of_the_same_name_may_be_another_machine() -> None:
    """A journal of another boot that goes on is not called dead for its host's name; one that stopped before this machine booted is."""
    opening = {**identity(), "boot_id": "another"}
    now_ns = time.time_ns()
    booted_ns = now_ns - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert process_of(opening, now_ns) == process_of(opening) == UNKNOWN
    assert process_of(opening, booted_ns - 10**9) == DEAD
    assert process_of({**opening, "host": "elsewhere"}, booted_ns - 10**9) == UNKNOWN


def test_F18_a_machine_of_the_same_name_with_a_slow_clock_is_alive_while_it_moves() -> None:
    """Its clock may be years behind: what moves under our eyes lives, and is lost to us again when it is still."""
    opening = {**identity(), "boot_id": "another"}
    here = Here(identity()["boot_id"], 10**12, 10**18)
    first = look(watch(begin("x", 100, 5, True, opening, None), None, here), here)
    assert first.life == GONE
    moved = look(watch(first._replace(end=200), first, here), here)
    assert moved.life == ALIVE
    assert look(moved, here._replace(boot_ns=here.boot_ns + 46 * 10**9)).life == GONE
