"""How a script ends is how `runfolio run` ends, and what the run says."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from launch.launching import Launcher, layout, only_run, output, past, run, run_ids, state, write_script


def test_S0_24_output_then_last_line() -> None:
    """Output is shown, then `✓ Experiment completed successfully: <id>`, the id 8 characters long."""
    ran = run(write_script("print('Training model')\nprint('done', end='')\n"))
    assert ran.code == 0
    assert ran.out.decode() == f"Training model\ndone\n✓ Experiment completed successfully: {only_run()[:8]}\n"
    assert state().status_declared == "finished"
    assert state().exit_code == 0


def test_F23_exception_is_failed() -> None:
    """An exception in the script: exit code 1, failed, the exception in the last line and its traceback in the run."""
    ran = run(write_script("import runfolio\nrunfolio.log({'loss': 1.0})\nraise ValueError('bad batch')\n"))
    assert ran.code == 1
    assert ran.last_line == f"✗ Experiment failed: {only_run()[:8]} (exit code 1: ValueError: bad batch)"
    found = state()
    assert (found.status_declared, found.reason, found.exit_code) == ("failed", "ValueError: bad batch", 1)
    assert found.error is not None
    assert "train.py" in found.error.traceback
    assert b"ValueError: bad batch" in ran.err


def test_F23_exception_of_a_script_without_runfolio() -> None:
    """The exception of a script that does not import runfolio is read from what it printed, and kept."""
    ran = run(write_script("def f():\n    raise KeyError('x')\nf()\n"))
    assert ran.last_line.endswith("(exit code 1: KeyError: 'x')")
    error = state().error
    assert error is not None
    assert (error.kind, error.message) == ("KeyError", "'x'")
    assert error.traceback.startswith("Traceback (most recent call last):\n")
    assert "in f" in error.traceback


def test_the_text_of_sys_exit_is_told() -> None:
    """What `sys.exit("text")` says stands in the last line and in the reason, also where the script tracks itself."""
    ran = run(
        write_script("import runfolio, sys\nrunfolio.log({'loss': 1.0})\nprint('busy')\nsys.exit('stopping here')\n")
    )
    assert ran.last_line == f"✗ Experiment failed: {only_run()[:8]} (exit code 1, last line: stopping here)"
    assert state().reason == "exit code 1, last line: stopping here"


def test_a_store_that_cannot_be_made_is_warned_of_once() -> None:
    """Launcher and script write to the same disk; its trouble is warned of by one of them, and the place is told at the end."""
    Path("taken").write_text("a file where the store should be")
    script = write_script("import runfolio\nrunfolio.log({'loss': 1.0})\n")
    ran = run(script, env={"RUNFOLIO_DIR": os.path.abspath("taken/store")})
    assert ran.code == 0 and ran.err.count(b"has trouble with its disk") == 1, ran.err
    assert ran.out.count(b"the store could not be written; kept in ") == 1


def test_F23_syntax_error() -> None:
    """A script that is no Python inside fails with its SyntaxError."""
    ran = run(write_script("print('a'\n"))
    assert ran.code == 1
    assert "SyntaxError" in ran.last_line


@pytest.mark.parametrize(
    ("body", "code", "status", "reason"),
    [
        ("raise SystemExit", 0, "finished", None),
        ("import sys; sys.exit(0)", 0, "finished", None),
        ("import sys; sys.exit(1)", 1, "failed", "exit code 1"),
        ("import sys; sys.exit('no data')", 1, "failed", "exit code 1, last line: no data"),
        ("import os; os._exit(3)", 3, "failed", "exit code 3"),
        ("import sys; sys.exit(255)", 255, "failed", "exit code 255"),
    ],
)
def test_F23_exit_codes(body: str, code: int, status: str, reason: str | None) -> None:
    """The exit code is the script's own: 0 is finished, another one failed, also where `os._exit` leaves no word."""
    ran = run(write_script(f"import runfolio\nrunfolio.log({{'a': 1.0}})\n{body}\n"))
    assert ran.code == code
    assert (state().status_declared, state().reason, state().exit_code) == (status, reason, code)
    assert ran.last_line.startswith("✓" if code == 0 else f"✗ Experiment failed: {only_run()[:8]} (exit code {code}")
    assert past().high() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGINT])
def test_F24_killed_by_a_signal(number: signal.Signals) -> None:
    """A script that a signal ends: exit code 128 + its number, killed, with the signal's name as the reason."""
    ran = run(write_script(f"import os\nos.kill(os.getpid(), {int(number)})\n"))
    assert ran.code == 128 + number
    found = state().attempts[-1]
    assert (found.status, found.reason, found.exit_code, found.signal) == ("killed", number.name, None, number)
    assert ran.last_line == f"✗ Experiment killed: {only_run()[:8]} ({number.name})"


def test_F23_interrupt_raised_by_the_script_itself() -> None:
    """A KeyboardInterrupt that nobody sent is killed all the same."""
    ran = run(write_script("raise KeyboardInterrupt\n"))
    assert ran.code == 130
    assert state().status_declared == "killed"


def test_launcher_has_the_last_word() -> None:
    """What the script says of its end does not stand against its exit code."""
    run(write_script("import os, runfolio\nrun = runfolio.start()\nrun.log({'a': 1})\nrun.finish()\nos._exit(4)\n"))
    assert state().status_declared == "failed"
    assert state().exit_code == 4


def test_lost_values_are_in_the_last_line() -> None:
    """Values that could not be kept are counted in the run and told in the last line."""
    script = write_script(
        """
import os, resource, runfolio
run = runfolio.start()
run.log({"a": 0.0, "b": 0.0})
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
for step in range(1, 20_000):
    run.log({"a": step / 7, "b": step / 7}, step=step)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""
    )
    ran = run(script, env={"RUNFOLIO_SPOOL": "off", "RUNFOLIO_MAP": "0"})
    assert ran.code == 0
    lost = state().lost.points
    assert lost > 0
    assert f", lost {lost:,} values (File too large" in ran.last_line


def test_no_run_without_a_script() -> None:
    """A wrong command line leaves no run behind."""
    assert run("gone.py").code == 2
    assert run(write_script("pass"), "-p", "lr").code == 2
    assert run(write_script("pass"), "-t", "").code == 2
    assert run_ids() == []


def test_output_event_tells_the_file() -> None:
    """The run knows the size of its output.log, and that nothing was cut."""
    run(write_script("print('x' * 100)\n"))
    assert state().output == {"size_bytes": len(output()), "cut_bytes": 0}
    assert len(output()) == 101


def test_disabled_mode_keeps_nothing() -> None:
    """With RUNFOLIO_MODE=disabled the script runs with the params told, its exit code is ours, and no store is made."""
    script = write_script(
        "import os, runfolio\nprint(runfolio.get_param('lr'), runfolio.get_params())\nrunfolio.log({'a': 1})\n"
        "print(os.environ.get('RUNFOLIO_RUN_ID'), flush=True)\nos._exit(5)\n"
    )
    ran = run(script, "-p", "lr=1", env={"RUNFOLIO_MODE": "disabled", "RUNFOLIO_RUN_ID": "0" * 32})
    assert ran.code == 5
    assert ran.last_line == "✗ Experiment failed: not tracked, RUNFOLIO_MODE=disabled (exit code 5)"
    assert b"1 {'lr': 1}\nNone\n" in ran.out
    assert not layout().exists()


def test_stdin_is_the_scripts() -> None:
    """What is piped into `runfolio run` is what the script reads."""
    import subprocess

    with Launcher(
        write_script("import sys\nprint(sys.stdin.buffer.read()[::-1])\n"), stdin=subprocess.PIPE
    ) as launched:
        assert launched.process.stdin
        launched.process.stdin.write(b"abc\xff")
        launched.process.stdin.close()
        launched.process.stdin = None
        assert launched.end() == 0
    assert launched.out.startswith(rb"b'\xffcba'")
