"""`runfolio run` on a terminal: the script has one too, and the keys are its own."""

from __future__ import annotations

import os
import subprocess
import sys
import termios

from launch.launching import TerminalLauncher, only_run, output, run, state, write_script


def test_script_has_a_terminal() -> None:
    """On a terminal the script's three streams are terminals of our size, so it prints in colour; in a pipe they are none."""
    script = write_script(
        """
import os, sys
print([os.isatty(fd) for fd in (0, 1, 2)], [tuple(os.get_terminal_size(fd)) for fd in (0, 1, 2) if os.isatty(fd)])
print("\\x1b[32mgreen\\x1b[0m" if sys.stdout.isatty() else "plain")
"""
    )
    with TerminalLauncher(script, size=(33, 101)) as launched:
        assert launched.end() == 0
    assert b"[True, True, True] [(101, 33), (101, 33), (101, 33)]\r\n" in launched.screen
    assert b"\x1b[32mgreen\x1b[0m\r\n" in launched.screen
    assert launched.screen.decode().endswith(f"✓ Experiment completed successfully: {only_run()[:8]}\r\n")
    assert output().endswith(b"\n\x1b[32mgreen\x1b[0m\n")
    assert b"\r" not in output()


def test_no_terminal_in_a_pipe() -> None:
    """In a pipe the script's output is no terminal, and it prints without colour."""
    ran = run(write_script("import sys\nprint(sys.stdout.isatty(), sys.stderr.isatty())\n"))
    assert ran.out.startswith(b"False False\n")


def test_size_is_forwarded() -> None:
    """When our terminal changes its size, the script's does, and its SIGWINCH finds the new size."""
    script = write_script(
        """
import os, signal, time
sizes = []
signal.signal(signal.SIGWINCH, lambda *_: sizes.append(tuple(os.get_terminal_size(1))))
print("ready", flush=True)
while (60, 20) not in sizes:
    time.sleep(0.01)
print("now", sizes[-1])
"""
    )
    with TerminalLauncher(script) as launched:
        launched.wait_for(b"ready")
        launched.resize(20, 60)
        launched.wait_for(b"now (60, 20)")
        assert launched.end() == 0


def test_keys_reach_the_script() -> None:
    """What is typed is what the script reads; a password is not shown."""
    script = write_script(
        """
import getpass
name = input("name? ")
word = getpass.getpass("word? ")
print(f"hello {name}, {len(word)}")
"""
    )
    with TerminalLauncher(script) as launched:
        launched.wait_for(b"name? ")
        launched.type(b"ada\r")
        launched.wait_for(b"word? ")
        launched.type(b"secret\r")
        launched.wait_for(b"hello ada, 6")
        assert launched.end() == 0
    assert b"secret" not in launched.screen
    assert b"secret" not in output()


def test_F24_ctrl_c_on_the_keyboard() -> None:
    """Ctrl-C on the keyboard reaches the script once; the terminal is left as it was."""
    script = write_script(
        """
import signal, time
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
print("ready", flush=True)
while not heard:
    time.sleep(0.01)
print("typed", input(), len(heard), flush=True)
raise SystemExit(9)
"""
    )
    with TerminalLauncher(script) as launched:
        before = termios.tcgetattr(launched.terminal)
        launched.wait_for(b"ready")
        launched.type(b"\x03")
        launched.wait_for(b"^C")
        launched.type(b"on\r")
        launched.wait_for(b"typed on 1")
        assert launched.end() == 9
        assert termios.tcgetattr(launched.terminal) == before
    assert (state().status_declared, state().reason) == ("killed", "SIGINT")


def test_ctrl_z_stops_and_goes_on() -> None:
    """Ctrl-Z stops launcher and script, as a job of the shell's; `fg` lets both go on."""
    script = write_script("print('ready', flush=True)\nprint('typed', input(), flush=True)\n")
    shell = f"{sys.executable} -m runfolio run {script}; echo stopped=$?; fg >/dev/null; echo rc=$?"
    terminal, end = os.openpty()
    with subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-im", "-c", shell], preexec_fn=lambda: os.login_tty(end)
    ) as process:
        os.close(end)
        screen = b""
        for text, keys in ((b"ready", b"\x1a"), (b"stopped=148", b"on\r"), (b"typed on", b""), (b"rc=0", b"")):
            while text not in screen:
                screen += os.read(terminal, 4096)
            os.write(terminal, keys)
        os.close(terminal)
        process.wait()
    assert state().status_declared == "finished"


def test_stderr_to_a_file_is_kept_apart() -> None:
    """With standard error in a file and standard output on a terminal, only the latter is a terminal to the script."""
    script = write_script(
        "import sys\nsys.stdout.write(f'out {sys.stdout.isatty()}\\n')\nsys.stderr.write(f'err {sys.stderr.isatty()}\\n')\n"
    )
    terminal, end = os.openpty()
    with open("err.txt", "wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "runfolio", "run", script], stdout=end, stderr=file)
    os.close(end)
    screen = b""
    while "✓".encode() not in screen:
        screen += os.read(terminal, 4096)
    assert process.wait() == 0
    os.close(terminal)
    assert b"out True\r\n" in screen
    with open("err.txt", "rb") as file:
        assert file.read() == b"err False\n"
    assert sorted(output().splitlines()) == [b"err False", b"out True"]


def test_hangup_of_the_terminal() -> None:
    """When the terminal is closed, the script gets SIGHUP, and the run says so."""
    script = write_script("import signal\nprint('ready', flush=True)\nsignal.pause()\n")
    with TerminalLauncher(script) as launched:
        launched.wait_for(b"ready")
        os.close(launched.terminal)
        launched.terminal = os.open(os.devnull, os.O_RDONLY)
        assert launched.process.wait(60) == 129
    assert (state().status_declared, state().reason) == ("killed", "SIGHUP")
