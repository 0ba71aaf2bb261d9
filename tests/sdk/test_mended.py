"""What reviews found wrong once, each as a promise."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import runfolio
from runfolio import InvalidValue, Unreadable, UsageError
from runfolio.journal.files import SYSTEM
from runfolio.journal.writer import Writer
from runfolio.sdk.past import read_past
from runfolio.store import layout, spool
from runfolio.testing.faulty import FaultyFiles
from sdk.told import past, points, script


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setenv("RUNFOLIO_CAPTURE", "none")


@pytest.mark.parametrize("key", [1, b"b", None, 3.5, True, "\ud800", "", "a\0b"])
def test_F44_a_single_key_that_is_no_name_is_refused(key):
    """A call with one key is checked as any other: nothing is kept under a name that was not given."""
    run = runfolio.start()
    with pytest.raises(InvalidValue):
        run.log({key: 1.0})
    assert points(run.id) == []


def test_F18_a_forked_child_that_logs_nothing_ends_at_once():
    """A child of a fork waits for no thread of its parent's."""
    done = script(
        """
        import os, sys, time, runfolio
        run = runfolio.start(); run.log({"a": 1.0})
        begun = time.monotonic()
        pid = os.fork()
        if pid == 0:
            sys.exit(0)
        os.waitpid(pid, 0)
        print(time.monotonic() - begun < 5)
        """
    )
    assert done.stdout.split() == ["True"], done.stderr


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_F24_a_signal_inside_log_ends_the_run_not_the_stack(name):
    """A signal that comes while log() is inside is taken a moment later: the process dies of it, and the run knows why."""
    for _ in range(4):
        body = "import runfolio\nrun = runfolio.start()\nprint(run.id, flush=True)\nwhile True: run.log({'a': 1.0, 'b': 2.0})"
        child = subprocess.Popen(
            [sys.executable, "-c", body], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        run_id = child.stdout.readline().strip()
        while past(run_id).high() is None:
            pass
        child.send_signal(getattr(signal, name))
        _, errors = child.communicate(timeout=30)
        assert (child.returncode, errors) == (-getattr(signal, name), "")
        state = past(run_id).state
        assert (state.status_declared, state.reason) == ("killed", name)


@pytest.mark.parametrize("step", [2**63 - 1, -(2**63)])
def test_F29_the_ends_of_int64_do_not_bend(step):
    """At the ends of int64 a step beyond is refused, and no step comes out as another."""
    run = runfolio.start()
    for _ in range(3):
        run.log({"a": 1.0}, step=step)
    with pytest.raises(InvalidValue):
        run.log({"a": 1.0}, step=step + 1 if step > 0 else step - 1)
    if step > 0:
        with pytest.raises(InvalidValue):
            run.log({"a": 1.0})
    assert {at for _, at, _, _ in points(run.id)} == {step}


def test_the_step_after_a_rewind_counts_what_is_visible():
    """After a rewind, attach and resume go on behind the visible points, not the hidden ones."""
    run = runfolio.start()
    for step in range(100):
        run.log({"a": 1.0}, step=step)
    run.finish()
    with runfolio.resume(run.id, rewind_to=50) as again:
        again.log({"a": 2.0})
    assert past(run.id).high() == 50
    with runfolio.resume(run.id) as third:
        third.log({"a": 3.0})
    assert ("a", 51, 3.0, "f") in points(run.id)


def test_F11_a_failed_sync_at_the_end_is_told_in_the_run(tmp_path):
    """Where the sync of close() fails, the run says which journal is uncertain."""
    files = FaultyFiles(SYSTEM)
    folder = tmp_path / "journal"
    folder.mkdir()
    writer = Writer([lambda: (str(folder), False)], lambda: {"run": "0" * 32, "attempt": 1}, files=files)
    writer.log({"a": 1.0})
    files.fail("sync", 5, times=1)
    assert not writer.close()
    told = [b"uncertain" in path.read_bytes() for path in sorted(folder.iterdir())]
    assert sorted(told) == [False, True]


def test_A13_a_home_that_somebody_sits_on_is_not_used(tmp_path, monkeypatch):
    """Without a home folder ours under the temporary one must be private: another's is left alone."""
    monkeypatch.delenv("RUNFOLIO_DIR")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    squatted = tmp_path / "tmp" / f"runfolio-home-{os.getuid()}"
    (squatted / ".runfolio").mkdir(parents=True)
    (squatted / ".runfolio" / "store.json").write_text("{}")
    squatted.chmod(0o777)
    root = layout.find().root
    assert not root.startswith(str(squatted) + os.sep)
    assert layout.is_private(os.path.dirname(root))


def test_a_folder_that_holds_other_things_is_refused(tmp_path):
    """A folder named by mistake is not filled with a store."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "thesis.txt").write_text("mine")
    with pytest.raises(Unreadable, match="other things"):
        runfolio.start()
    assert os.listdir(tmp_path / "store") == ["thesis.txt"]


def test_a_spool_is_found_through_a_link(tmp_path):
    """A store reached through a symbolic link has the same spool."""
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "link")
    assert spool.run_journal("/s", str(tmp_path / "link"), "0" * 32) == spool.run_journal(
        "/s", str(tmp_path / "real"), "0" * 32
    )


def test_disabled_module_verbs_have_a_run(monkeypatch):
    """In disabled mode the active run is one that keeps nothing, and params never conflict."""
    done = script(
        """
        import runfolio
        runfolio.log({"a": 1})
        runfolio.active_run().finish()
        with runfolio.start(params={"lr": 1}) as run:
            run.set_params({"lr": 2})
        """,
        RUNFOLIO_MODE="disabled",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"rank": "a"},
        {"rank": -1},
        {"rank": True},
        {"total_steps": -1},
        {"fsync_every_s": -1},
        {"fsync_every_s": 0},
        {"tags": 5},
    ],
)
def test_start_refuses_what_makes_no_sense(wrong):
    """Ranks, counts and times that cannot be are refused, not dropped."""
    with pytest.raises(UsageError):
        runfolio.start(**wrong)


def test_resume_and_attach_take_names():
    """A run answers to its name here too."""
    with runfolio.start(name="mine", tags=["a=b", "c"]) as run:
        run.log({"a": 1.0})
    assert past(run.id).state.tags == {"a=b": "", "c": ""}
    with runfolio.resume("mine") as again:
        assert again.id == run.id
    assert read_past(layout.find(), run.id).attempt == 2
