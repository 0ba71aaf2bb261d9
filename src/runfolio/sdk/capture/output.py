"""Run a program that may hang, chatter or be missing, and keep what it says, bounded in time and bytes."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

ERROR_MAX = 2_000


class Output(NamedTuple):
    """What a program said. `code` is None where it was stopped."""

    code: int | None
    text: bytes
    cut_bytes: int
    errors: bytes

    @property
    def failure(self) -> str | None:
        """Say what went wrong, in one line, or None."""
        if self.code is None:
            return "took too long and was stopped"
        if self.code:
            line = (self.errors.strip().splitlines() or [b""])[0].decode("utf-8", "replace")
            return f"failed with exit code {self.code}: {line[:200]}"
        return None


def find_program(name: str) -> str | None:
    """Return the absolute path of a program on the PATH; entries relative to the working directory do not count."""
    for folder in os.get_exec_path():
        path = os.path.join(folder, name)
        if os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def read_output(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    timeout_s: float,
    size_max: int,
    cwd: str = "/",
    given: bytes = b"",
) -> Output:
    """Run a program and return what it said.

    What it says beyond `size_max` bytes is read and counted, so that it goes on as if all were well. At the end of its
    time it is killed with everything that it started.

    Raises:
        OSError: The program cannot be started.
    """
    ends = time.monotonic() + timeout_s
    with tempfile.TemporaryFile() if given else open(os.devnull, "rb") as stdin:
        if given:
            stdin.write(given)
            stdin.seek(0)
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
        )
    try:
        text, cut_bytes, errors = _read(process, size_max, ends)
        code = _wait(process, ends)
    finally:
        _kill(process)
    return Output(code, text, cut_bytes, errors)


def _read(process: subprocess.Popen[bytes], size_max: int, ends: float) -> tuple[bytes, int, bytes]:
    """Read both pipes until they close or the time is over."""
    assert process.stdout and process.stderr
    pipes = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    said, errors = pipes.values()
    limits = dict(zip(pipes, (size_max, ERROR_MAX), strict=True))
    cut_bytes = 0
    with selectors.DefaultSelector() as selector:
        for fd in pipes:
            selector.register(fd, selectors.EVENT_READ)
        while selector.get_map() and (left := ends - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                data = os.read(key.fd, 65_536)
                if not data:
                    selector.unregister(key.fd)
                room = limits[key.fd] - len(pipes[key.fd])
                pipes[key.fd] += data[:room]
                if pipes[key.fd] is said:
                    cut_bytes += max(0, len(data) - room)
    return bytes(said), cut_bytes, bytes(errors)


def _wait(process: subprocess.Popen[bytes], ends: float) -> int | None:
    """Return the exit code, or None when it does not come in time."""
    try:
        return process.wait(max(0.05, ends - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a program and of what it started, and close its pipes."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
