"""Start `runfolio run` as a real process, hear what it says, and read what it kept."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from runfolio.model.fold import RunState
from runfolio.sdk.past import Past, read_past
from runfolio.store.layout import Layout, find

PATIENCE_S = 60.0
"""How long a condition is waited for before the test fails; a sound launcher needs a small part of it."""


class Launcher:
    """`runfolio run` with these words, in a session of its own, its output on two pipes."""

    def __init__(
        self,
        *words: str,
        env: dict[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        command: tuple[str, ...] = (),
    ) -> None:
        self.process = subprocess.Popen(
            [*command, sys.executable, "-m", "runfolio", "run", *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        self.out, self.err = b"", b""
        self.code: int | None = None
        assert self.process.stdout and self.process.stderr
        self._pipes = {self.process.stdout.fileno(): "out", self.process.stderr.fileno(): "err"}

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for(self, text: bytes, where: str = "out") -> None:
        """Read until `text` has come."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in getattr(self, where):
            assert self._pipes and time.monotonic() < deadline, f"{text!r} did not come: {self.out!r} {self.err!r}"
            self._read(1.0)

    def end(self) -> int:
        """Read to the end; return the exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while self._pipes:
            assert time.monotonic() < deadline, f"no end: {self.out!r} {self.err!r}"
            self._read(1.0)
        self.code = self.process.wait(PATIENCE_S)
        return self.code

    def interrupt_group(self, number: int = signal.SIGINT) -> None:
        os.killpg(self.pid, number)

    @property
    def last_line(self) -> str:
        return self.out.decode().rstrip("\n").rpartition("\n")[2]

    def _read(self, patience_s: float) -> None:
        ready, _, _ = select.select(list(self._pipes), [], [], patience_s)
        for fd in ready:
            data = os.read(fd, 1 << 16)
            if data:
                where = self._pipes[fd]
                setattr(self, where, getattr(self, where) + data)
            else:
                del self._pipes[fd]

    def __enter__(self) -> Launcher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class TerminalLauncher:
    """`runfolio run` with these words on a terminal of its own, as a user has it: standard input, output and error."""

    def __init__(self, *words: str, size: tuple[int, int] = (24, 80), env: dict[str, str] | None = None) -> None:
        self.terminal, end = os.openpty()
        termios.tcsetwinsize(end, size)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "runfolio", "run", *words],
            preexec_fn=lambda: os.login_tty(end),
            env={**os.environ, **(env or {})},
        )
        os.close(end)
        self.screen = b""

    def wait_for(self, text: bytes) -> None:
        """Read until `text` stands on the screen."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.screen:
            assert time.monotonic() < deadline and self._read(), f"{text!r} did not come: {self.screen!r}"

    def type(self, keys: bytes) -> None:
        os.write(self.terminal, keys)

    def resize(self, rows: int, columns: int) -> None:
        termios.tcsetwinsize(self.terminal, (rows, columns))

    def end(self) -> int:
        """Read to the end; return the exit code."""
        while self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.terminal], [], [], PATIENCE_S)
        try:
            data = os.read(self.terminal, 1 << 16) if ready else b""
        except OSError:  # its last user is gone
            data = b""
        self.screen += data
        return bool(data)

    def __enter__(self) -> TerminalLauncher:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.terminal)


def run(*words: str, env: dict[str, str] | None = None, limit_bytes: int = 0) -> Launcher:
    """Run a script to its end; with `limit_bytes` no file can grow beyond that."""
    command = ("prlimit", f"--fsize={limit_bytes}") if limit_bytes else ()
    with Launcher(*words, env=env, command=command) as launched:
        launched.end()
    return launched


def write_script(text: str, name: str = "train.py") -> str:
    """Write a script into the working directory; return its name."""
    Path(name).write_text(text, encoding="utf-8")
    return name


def layout() -> Layout:
    return find(None)


def run_ids() -> list[str]:
    """The ids of the runs in the store."""
    folder = Path(layout().runs)
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def only_run() -> str:
    (run_id,) = run_ids()
    return run_id


def past() -> Past:
    return read_past(layout(), only_run())


def state() -> RunState:
    """What the only run of the store has kept."""
    return past().state


def output() -> bytes:
    """The output that the only run has kept."""
    return Path(layout().output(only_run())).read_bytes()


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait for a condition that another process brings about."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"it did not come about that {what}"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
