"""The companion: live files that are never far behind, exact ones when asked and at any end, and nothing of it in the script's way."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

import runfolio
from followers.scripts import companions, eventually, run, start
from runfolio.sdk import following, trouble
from runfolio.sdk.following import keep_view, settle

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")

VIEWED = """
import os, sys, runfolio
from runfolio.sdk.following import keep_view, settle
run = runfolio.start(capture=False)
keep_view(run, "yanex", "out/metrics.json")
"""


def records(path="out/metrics.json"):
    return json.loads(Path(path).read_text())


def test_file_is_exact_after_a_script_that_ends():
    """When a script has ended, its file holds everything."""
    ran = run(VIEWED + "for n in range(1000): run.log({'a': float(n)}, step=n)")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [record["a"] for record in records()] == [float(n) for n in range(1000)]
    assert eventually(lambda: not companions())


def test_file_is_exact_after_a_kill():
    """After a SIGKILL the companion writes what the script no longer could, and goes."""
    process = start(
        VIEWED + "for n in range(500): run.log({'a': float(n)}, step=n)\nprint('logged', flush=True)\ninput()"
    )
    assert process.stdout.readline() == "logged\n"
    assert len(companions()) == 1
    process.kill()
    process.wait()
    assert eventually(lambda: not companions())
    assert [record["step"] for record in records()] == list(range(500))
    process.communicate()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_file_is_exact_after_a_signal_to_all(name):
    """A signal that a scheduler sends to script and companion alike ends the script; the companion writes the last state first."""
    process = start(
        VIEWED + "for n in range(50): run.log({'a': float(n)}, step=n)\nprint('logged', flush=True)\ninput()"
    )
    assert process.stdout.readline() == "logged\n"
    for pid in [*companions(), process.pid]:
        os.kill(pid, getattr(signal, name))
    process.communicate()
    assert eventually(lambda: not companions())
    assert len(records()) == 50


def test_live_file_follows():
    """While the script runs, the file comes after it by itself."""
    process = start(VIEWED + "for line in sys.stdin: run.log({'a': 1.0}, step=int(line))")
    for step in range(3):
        process.stdin.write(f"{step}\n")
        process.stdin.flush()
        assert eventually(lambda: Path("out/metrics.json").exists() and len(records()) == step + 1)  # noqa: B023
    process.communicate()
    assert process.returncode == 0


def test_settle_makes_it_exact():
    """`settle` returns when the file is as the run is now."""
    with runfolio.start(capture=False) as active:
        keep_view(active, "yanex", "out/metrics.json")
        for step in range(20):
            active.log({"a": 1.0}, step=step)
            assert settle(active)
            assert len(records()) == step + 1


def test_without_a_companion_it_is_rendered_here():
    """Where the companion was killed, `settle` renders in the script, and the end is exact too."""
    with runfolio.start(capture=False) as active:
        keep_view(active, "yanex", "out/metrics.json")
        active.log({"a": 1.0})
        assert settle(active)
        os.kill(companions()[0], signal.SIGKILL)
        active.log({"a": 2.0})
        assert settle(active)
        assert len(records()) == 2


def test_nobody_waits_for_it():
    """A script whose output is read to its end is not kept open by the companion, even where the run goes on without it."""
    ran = run(VIEWED + "os._exit(0)")
    assert ran.returncode == 0  # `communicate` has seen the end of both pipes
    assert eventually(lambda: not companions())


def test_fork_leaves_the_companion_to_the_parent():
    """A child of a fork that lives longer than its parent does not keep the companion from its end."""
    code = (
        VIEWED
        + "run.log({'a': 1.0}, step=0)\nif os.fork() == 0:\n  os.close(1); os.close(2); input(); os._exit(0)\nos.kill(os.getpid(), 9)"
    )
    process = start(code)
    process.wait()
    assert eventually(lambda: not companions())
    assert len(records()) == 1
    process.stdin.close()


def test_one_companion_for_all_runs_of_a_script():
    """Ten runs with views have one companion, and each its file."""
    ran = run(
        """
import runfolio
from runfolio.sdk.following import keep_view, settle
from followers.scripts import companions
runs = [runfolio.start(capture=False) for _ in range(10)]
for number, active in enumerate(runs):
    keep_view(active, "yanex", f"out/{number}.json")
    active.log({"a": float(number)})
print([settle(active) for active in runs] == [True] * 10, len(companions()))
"""
    )
    assert ran.stdout == "True 1\n"
    assert [records(f"out/{number}.json")[0]["a"] for number in range(10)] == [float(number) for number in range(10)]


def test_disabled_keeps_nothing(monkeypatch):
    """With tracking disabled nothing is kept and no process started."""
    monkeypatch.setenv("RUNFOLIO_MODE", "disabled")
    active = runfolio.start()
    keep_view(active, "yanex", "out/metrics.json")
    assert settle(active)
    active.finish()
    assert not Path("out").exists()
    assert not companions()


def test_trouble_is_told_once_and_the_run_goes_on():
    """A view that cannot be written is warned of; the run is whole."""
    Path("out").write_text("in the way")
    with pytest.warns(trouble.RunfolioWarning, match="cannot be written"):
        with runfolio.start(capture=False) as active:
            keep_view(active, "yanex", "out/metrics.json")
            active.log({"a": 1.0})
            assert not settle(active)
    assert len(runfolio.open_store().run(active.id).series("a").values) == 1


def test_resumed_run_is_followed_again():
    """A run that goes on in a new attempt has its file brought up to date."""
    first = run(VIEWED + "run.log({'a': 1.0}, step=0)\nprint(run.id)")
    again = runfolio.resume(first.stdout.strip())
    keep_view(again, "yanex", "out/metrics.json")
    again.log({"a": 2.0}, step=1)
    again.finish()
    assert [record["a"] for record in records()] == [1.0, 2.0]


def test_run_that_had_ended_is_written_to():
    """What an attached handle adds to a run that has ended is in the file after a SIGKILL too."""
    process = start(
        VIEWED
        + "run.log({'a': 1.0}, step=0)\nrun.finish()\nprint(len(open('out/metrics.json').read()) > 2, flush=True)\n"
        + "runfolio.attach(run.id).log({'a': 2.0}, step=1)\nprint('logged', flush=True)\ninput()"
    )
    assert process.stdout.readline() == "True\n"
    assert process.stdout.readline() == "logged\n"
    process.kill()
    process.communicate()
    assert eventually(lambda: not companions())
    assert [record["a"] for record in records()] == [1.0, 2.0]


def test_end_that_was_told_stands():
    """A run that another handle has ended as failed stays so when the script that started it ends well."""
    ran = run(VIEWED + "runfolio.attach(run.id).end('failed', 'by hand')\nprint(run.id)")
    found = runfolio.open_store().run(ran.stdout.strip())
    assert (found.status, found.status_reason) == ("failed", "by hand")


def test_script_that_waits_for_all_its_children_goes_on():
    """The companion is no child of the script: `os.wait` until there is none comes back."""
    ran = run(
        VIEWED
        + """
if os.fork() == 0: os._exit(0)
try:
    while True: os.wait()
except ChildProcessError:
    print("no child left")
"""
    )
    assert ran.stdout == "no child left\n"


def test_companion_that_was_killed_does_not_take_the_script_along():
    """A script that leaves SIGPIPE to its default does not die of it when its companion is gone; another takes its place."""
    ran = run(
        VIEWED
        + """
import signal
from followers.scripts import companions, eventually
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
assert settle(run)
first = companions()
os.kill(first[0], signal.SIGKILL)
eventually(lambda: not companions())
run.log({"a": 1.0}, step=0)
print(settle(run), settle(run), companions() not in ([], first), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    assert ran.stdout == "True True True\n"
    assert eventually(lambda: not companions())
    assert len(records()) == 1


def test_files_of_a_script_that_closes_everything_stay_its_own():
    """Where a script has closed all descriptors, nothing is said into, or closed of, the files that have their numbers now."""
    ran = run(
        VIEWED
        + """
assert settle(run)
from runfolio.sdk import following
taken = [following._companion._to, following._companion._from]
for fd in taken: os.dup2(os.open(f"mine{fd}", os.O_RDWR | os.O_CREAT), fd)
run.log({"a": 1.0}, step=0)
print(settle(run))
following.keep_view(run, "yanex", "out/again.json")
run.finish()
print([os.fstat(fd).st_size for fd in taken])
"""
    )
    assert (ran.stdout, ran.returncode) == ("True\n[0, 0]\n", 0)
    assert len(records()) == 1


def test_stopped_companion_is_waited_for_once(monkeypatch):
    """Of a companion that does not answer, only the first run waits long; the files are rendered in the script."""
    monkeypatch.setattr(following, "AT_END_S", 0.2)
    actives = [runfolio.start(capture=False) for _ in range(3)]
    for number, active in enumerate(actives):
        keep_view(active, "yanex", f"out/{number}.json")
    assert settle(actives[0])
    (pid,) = companions()
    os.kill(pid, signal.SIGSTOP)
    try:
        for active in actives:
            active.log({"a": 1.0}, step=0)
            active.finish()
        assert following._companion._hung
        assert [len(records(f"out/{number}.json")) for number in range(3)] == [1, 1, 1]
    finally:
        os.kill(pid, signal.SIGKILL)


def test_what_the_pipe_cannot_take_is_said_later():
    """More runs than a stopped companion's pipe takes are followed all the same, by the same companion."""
    ran = run(
        """
import os, signal, runfolio
from runfolio.sdk import following
from followers.scripts import companions
run = runfolio.start(capture=False)
following.keep_view(run, "yanex", "out/metrics.json")
assert following.settle(run)
pids = companions()
os.kill(pids[0], signal.SIGSTOP)
for _ in range(2000): following._companion.follow(run)
assert following._companion._unsaid
os.kill(pids[0], signal.SIGCONT)
print(following.settle(run), following._companion._unsaid, companions() == pids)
"""
    )
    assert (ran.stdout, ran.stderr) == ("True b'' True\n", "")


def test_status_of_a_killed_run_is_in_its_file():
    """A run that was killed when its files held all it had logged is told as killed there."""
    process = start(
        VIEWED.replace('"yanex", "out/metrics.json"', '"ntn", "out/a.json"')
        + "run.log({'a': 1.0}, step=0)\nprint(settle(run), flush=True)\ninput()"
    )
    assert process.stdout.readline() == "True\n"
    process.kill()
    process.communicate()
    assert eventually(lambda: not companions())
    assert records("out/a.json")["summary"] == {"success": False, "error": "killed"}


def test_launcher_has_the_last_word_in_the_file():
    """A script under the launcher that fails after `finish` is failed in its files too, as in the store."""
    Path("script.py").write_text(
        """
import os
from runfolio.dialects.lab.tracking.experiment_tracker import ExperimentTracker
tracker = ExperimentTracker("out")
tracker.finish_run(tracker.create_run("ctr"))
os._exit(3)
"""
    )
    ran = run("import sys\nfrom runfolio.cli.main import main\nmain(['run', 'script.py'])")
    assert ran.returncode == 3, ran.stderr
    assert eventually(lambda: not companions())
    assert [told["status"] for told in records("out/metadata.json")] == ["failed"]
