"""The script and the run that the launcher made for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from launch.launching import eventually, layout, only_run, past, run, run_ids, state, write_script
from runfolio.journal.scan import opening


def test_start_joins_the_launched_run() -> None:
    """`runfolio.start(...)` in the script joins the launcher's run: one run, with the params, tags and name of both."""
    script = write_script(
        """
import runfolio
with runfolio.start(name="by the script", params={"lr": 0.5, "seed": 3}, tags=["mlp"], notes="n") as run:
    for step in range(3):
        run.log({"loss": 1 / (step + 1)})
    run.summary["acc"] = 0.9
print(run.id)
"""
    )
    ran = run(script, "-p", "lr=0.5", "-t", "baseline")
    assert ran.out.split()[0].decode() == only_run()
    found = state()
    assert found.params == {"lr": 0.5, "seed": 3}
    assert found.tags == {"baseline": "", "mlp": ""}
    assert (found.name, found.notes, found.summary) == ("by the script", "n", {"acc": 0.9})
    assert past().high() == 2
    assert sorted(opening(scan)["role"] for scan in past().scans) == ["launch", "script"]


def test_name_of_the_command_line_stands() -> None:
    """A name told on the command line goes before the script's own."""
    run(write_script("import runfolio\nrunfolio.start(name='by the script')\n"), "-n", "told")
    assert state().name == "told"


def test_param_that_differs_is_a_conflict() -> None:
    """A script that sets a param of the command line to another value fails, and says which."""
    ran = run(write_script("import runfolio\nrunfolio.start(params={'lr': 0.1})\n"), "-p", "lr=0.5")
    assert ran.code == 1
    assert "ParamConflict: param 'lr' is already 0.5" in ran.last_line
    assert state().params == {"lr": 0.5}


def test_same_script_without_the_launcher() -> None:
    """The same script, started by python itself, makes a run of its own."""
    script = write_script("import runfolio\nprint(runfolio.get_param('lr', 0.1))\nrunfolio.log({'loss': 1.0})\n")
    done = subprocess.run([sys.executable, script], capture_output=True, check=True)
    assert done.stdout == b"0.1\n"
    assert state().status_declared == "finished"
    assert past().high() == 0


def test_processes_of_the_script_write_to_its_run() -> None:
    """A process that the script starts finds the run too; there is still one, and it ends once."""
    write_script("import runfolio\nrunfolio.log({'val': 1.0}, step=5)\n", "worker.py")
    script = write_script(
        """
import subprocess, sys, runfolio
runfolio.log({"loss": 1.0})
subprocess.run([sys.executable, "worker.py"], check=True)
"""
    )
    assert run(script).code == 0
    assert past().high() == 5
    assert sum(attempt.status == "finished" for attempt in state().attempts) == 1


def test_launcher_inside_a_launched_script() -> None:
    """`runfolio run` inside of a launched script makes a run of its own."""
    write_script("import runfolio\nrunfolio.log({'inner': 1.0})\n", "inner.py")
    script = write_script(
        """
import subprocess, sys, runfolio
runfolio.log({"outer": 1.0})
subprocess.run([sys.executable, "-m", "runfolio", "run", "inner.py"], check=True)
"""
    )
    ran = run(script)
    assert ran.code == 0
    assert len(run_ids()) == 2
    assert ran.out.count("✓".encode()) == 2


def test_relative_store_is_found_from_elsewhere() -> None:
    """A store told by a relative path is the same one for a script that changes its folder."""
    Path("sub").mkdir()
    script = write_script("import os, runfolio\nos.chdir('sub')\nrunfolio.log({'a': 1.0})\n")
    assert run(script, env={"RUNFOLIO_DIR": "here/store"}).code == 0
    os.environ["RUNFOLIO_DIR"] = "here/store"
    assert past().high() == 0
    assert os.listdir("sub") == []


FACTS = """
import json, os, signal, sys
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "flags": str(sys.flags), "name": __name__, "file": __file__,
    "signals": [str(signal.getsignal(n)) for n in (1, 2, 3, 10, 12, 13, 15, 17, 25)], "blocked": list(signal.pthread_sigmask(0, [])),
    "files": [fd for fd in range(50) if os.path.exists(f"/proc/self/fd/{fd}") and not os.readlink(f"/proc/self/fd/{fd}").startswith("/proc")],
    "modules": sorted(sys.modules), "cwd": os.getcwd(), "main": sys.modules["__main__"].__file__, "orig": sys.orig_argv,
}))
"""


def test_script_finds_itself_as_under_python() -> None:
    """The script's process is the one that python itself would start: argv, path, modules, signals, open files."""
    script = write_script(FACTS)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    plain = subprocess.run(
        [sys.executable, script, "a", "-b"], capture_output=True, check=True, stdin=subprocess.DEVNULL, env=environment
    )
    launched = run(script, "a", "-b", env={"PYTHONUNBUFFERED": "1"})
    assert json.loads(launched.out.splitlines()[0]) == json.loads(plain.stdout)


def test_surroundings_are_captured_once() -> None:
    """The launcher records the surroundings, the companion process the slow ones; the script does not do it again."""
    run(write_script("import runfolio\nrunfolio.log({'a': 1.0})\n"), "-p", "lr=1", env={"RUNFOLIO_CAPTURE": "all"})
    eventually(lambda: "packages" in state().capture, "the packages are captured")
    command = state().capture["command"]
    assert command[-4:] == ["run", "train.py", "-p", "lr=1"]
    assert "script" in [opening(scan)["role"] for scan in past().scans]
    told = [body for scan in past().scans if opening(scan)["role"] == "script" for body in bodies(scan)]
    assert not [body for body in told if body["type"] == "capture"]


def bodies(scan: object) -> list[dict[str, object]]:
    from runfolio.journal.scan import events

    return [body for _, body in events(scan)]  # type: ignore[arg-type]


def test_ended_run_is_sealed() -> None:
    """After its end the run is sealed, by a process that nobody waits for."""
    run(write_script("import runfolio\nrunfolio.log({'a': 1.0})\n"), env={"RUNFOLIO_SEAL": ""})
    eventually(lambda: Path(layout().parquet(only_run())).exists(), "metrics.parquet is written")
    eventually(lambda: Path(layout().run_json(only_run())).exists(), "run.json is written")


def test_large_run_ends_with_its_error() -> None:
    """Also a run of many points ends with the error that it recorded."""
    script = write_script(
        """
import runfolio
for step in range(40_000):
    runfolio.log({"a": 1.0, "b": 2.0, "c": 3.0})
raise ValueError("at the end")
"""
    )
    ran = run(script)
    assert ran.last_line.endswith("(exit code 1: ValueError: at the end)")
    assert sum(os.path.getsize(path) for path in Path(layout().run_journal(only_run())).iterdir()) > 1 << 20
