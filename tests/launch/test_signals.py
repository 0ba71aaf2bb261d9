"""Signals: each reaches the script once, and the run says by what it was ended."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import runfolio
from launch.launching import Launcher, eventually, is_alive, only_run, past, state, write_script
from runfolio.store.liveness import ALIVE, DEAD

COUNTS = """
import os, signal, sys, time, runfolio
runfolio.log({"loss": 0.5})
heard = []
def hear(number, frame):
    heard.append(number)
    print("heard", signal.Signals(number).name, heard.count(number))
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, hear)
print("ready", os.getpid())
while len(heard) < int(sys.argv[1]):
    time.sleep(0.01)  # signal.pause() would miss one that comes just before it
sys.exit(int(sys.argv[2]))
"""

WAITS = """
import os, signal
try:
    print("ready", os.getpid())
    signal.pause()
finally:
    print("cleaned up")
"""


def child_of(launched: Launcher) -> int:
    launched.wait_for(b"ready ")
    launched.wait_for(b"\n")
    return int(launched.out.partition(b"ready ")[2].split()[0])


def test_F24_ctrl_c() -> None:
    """Ctrl-C, to the whole process group: the script cleans up once, the run is killed, exit code 130."""
    with Launcher(write_script(WAITS)) as launched:
        child_of(launched)
        launched.interrupt_group()
        assert launched.end() == 130
    assert b"cleaned up\n" in launched.out
    assert b"KeyboardInterrupt" in launched.err
    assert launched.err.count(b"Traceback") == 1  # ours would be the second
    assert (state().status_declared, state().reason) == ("killed", "SIGINT")
    assert launched.last_line == f"✗ Experiment killed: {only_run()[:8]} (SIGINT)"


def test_F24_ctrl_c_of_a_script_that_tracks_itself() -> None:
    """Ctrl-C loses nothing of what was logged; the run is killed, with the traceback kept."""
    script = write_script("import runfolio\nrunfolio.log({'loss': 0.5})\n" + WAITS)
    with Launcher(script) as launched:
        child_of(launched)
        launched.interrupt_group()
        assert launched.end() != 0
    assert past().high() == 0
    assert (state().status_declared, state().reason) == ("killed", "SIGINT")
    error = state().error
    assert error is not None and error.kind == "KeyboardInterrupt"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
@pytest.mark.parametrize("whom", ["group", "launcher"])
def test_F24_each_signal_reaches_the_script_once(number: signal.Signals, whom: str) -> None:
    """A signal for the group, or for the launcher alone, is heard by the script exactly once; its own handlers stand."""
    with Launcher(write_script(COUNTS), "2", "7") as launched:
        child_of(launched)
        os.killpg(launched.pid, number) if whom == "group" else os.kill(launched.pid, number)
        launched.wait_for(b"heard %s 1\n" % number.name.encode())
        last = signal.SIGUSR1 if number != signal.SIGUSR1 else signal.SIGHUP
        os.kill(launched.pid, last)  # had there been a second one, it would be heard before this
        launched.wait_for(b"heard %s 1\n" % last.name.encode())
        assert launched.end() == 7
    assert b" 2\n" not in launched.out
    asked = number if number != signal.SIGUSR1 else signal.SIGHUP
    assert (state().status_declared, state().reason, state().exit_code) == ("killed", asked.name, 7)


def test_F24_second_and_third_ctrl_c() -> None:
    """A script that does not mind Ctrl-C gets SIGTERM at the second, and is ended at the third."""
    script = write_script(
        """
import signal
signal.signal(signal.SIGINT, lambda *_: print("heard int"))
signal.signal(signal.SIGTERM, lambda *_: print("heard term"))
print("ready 0")
while True:
    signal.pause()
"""
    )
    with Launcher(script) as launched:
        child_of(launched)
        for text in (b"heard int\n", b"heard term\n"):
            launched.interrupt_group()
            launched.wait_for(text)
            wait_until_it_counts_as_another()
        launched.interrupt_group()
        assert launched.end() == 128 + signal.SIGKILL
    assert (state().status_declared, state().reason) == ("killed", "SIGINT, then SIGKILL")


def wait_until_it_counts_as_another() -> None:
    """Let pass the time within which two signals are one."""
    import select

    from runfolio.launch.stopping import SAME_S

    select.select([], [], [], 1.5 * SAME_S)


def test_F24_term_ends_what_does_not_end() -> None:
    """A script that does not end within RUNFOLIO_GRACE_S of a SIGTERM is ended, as Slurm would."""
    script = write_script(
        """
import signal
signal.signal(signal.SIGTERM, lambda *_: print("heard term"))
print("ready 0")
while True:
    signal.pause()
"""
    )
    with Launcher(script, env={"RUNFOLIO_GRACE_S": "0.3"}) as launched:
        child_of(launched)
        launched.process.send_signal(signal.SIGTERM)
        assert launched.end() == 128 + signal.SIGKILL
    assert b"heard term\n" in launched.out
    assert (state().status_declared, state().reason) == ("killed", "SIGTERM, then SIGKILL")


def test_F24_term_of_a_plain_script() -> None:
    """SIGTERM to the launcher ends a script without a handler: exit code 143, killed by SIGTERM."""
    with Launcher(write_script(WAITS)) as launched:
        child_of(launched)
        launched.process.send_signal(signal.SIGTERM)
        assert launched.end() == 143
    assert (state().status_declared, state().reason) == ("killed", "SIGTERM")


def test_F24_script_that_stops_well_is_finished() -> None:
    """A script that takes SIGTERM as the wish to stop and says that all is well, by exit code 0, is believed."""
    with Launcher(write_script(COUNTS), "1", "0") as launched:
        child_of(launched)
        launched.process.send_signal(signal.SIGTERM)
        assert launched.end() == 0
    assert state().status_declared == "finished"


def test_F24_nohup_stays_nohup() -> None:
    """A SIGHUP that was ignored at the start is ignored by launcher and script."""
    with Launcher(write_script(WAITS), command=("nohup",)) as launched:
        child = child_of(launched)
        os.killpg(launched.pid, signal.SIGHUP)
        assert is_alive(child)
        launched.interrupt_group()
        assert launched.end() == 130
    assert state().reason == "SIGINT"


def test_launcher_killed_takes_the_script_along() -> None:
    """When the launcher is killed, the script gets SIGTERM, and the run reads as killed at once, as its process is known to be dead."""
    script = write_script(
        """
import os, signal, runfolio
run = runfolio.start()
run.log({"loss": 0.5})
def hear(number, frame):
    with open("heard", "w") as file:
        file.write(signal.Signals(number).name)
    os._exit(1)
signal.signal(signal.SIGTERM, hear)
print("ready", os.getpid())
while True:
    signal.pause()
"""
    )
    with Launcher(script) as launched:
        child = child_of(launched)
        assert past().life() == ALIVE
        launched.process.kill()
        eventually(lambda: not is_alive(child), "the script ends")
        launched.process.wait()
    assert Path("heard").read_text() == "SIGTERM"
    assert past().life() == DEAD
    with runfolio.open_store() as store:
        assert store.run(only_run()).status == "killed"
    assert past().high() == 0


def test_witness_does_not_outlive_the_launcher() -> None:
    """The process that stands by in the group is gone with the launcher, however that ended."""
    with Launcher(write_script(WAITS)) as launched:
        child_of(launched)
        group = launched.pid
        assert len(members(group)) == 3
        launched.process.kill()
        launched.process.wait()
        eventually(lambda: not members(group), "the process group is empty")


def members(group: int) -> list[int]:
    """The processes of a group that run."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            found.append(int(path.name))
    return found


def test_F25_stopped_and_continued() -> None:
    """A script and launcher that are stopped and continued go on where they were."""
    with Launcher(write_script(COUNTS), "1", "0") as launched:
        child = child_of(launched)
        os.killpg(launched.pid, signal.SIGSTOP)
        eventually(lambda: Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "T", "it stops")
        os.killpg(launched.pid, signal.SIGCONT)
        os.kill(child, signal.SIGUSR1)
        assert launched.end() == 0
    assert state().status_declared == "finished"


def test_early_ctrl_c_ends_the_run_too() -> None:
    """A Ctrl-C before the script has begun leaves no run without an end."""
    with Launcher(write_script("import signal\nsignal.pause()\n")) as launched:
        eventually(lambda: Path(layout_runs()).is_dir() and os.listdir(layout_runs()), "the run is there")
        launched.interrupt_group()
        assert launched.end() in (130, 1)  # 1: Python itself was still starting
    assert state().status_declared == "killed"


def layout_runs() -> str:
    from launch.launching import layout

    return layout().runs
