"""Run scripts with runfolio in processes of their own, and wait for what must come."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LIMIT_S = 30.0


def start(code: str, **env: str) -> subprocess.Popen[str]:
    """Start a script; its output comes through a pipe."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end."""
    with start(code, **env) as process:
        out, err = process.communicate(timeout=LIMIT_S)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def eventually(condition: Callable[[], bool]) -> bool:
    """Say whether a condition comes true within the limit."""
    until = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def companions() -> list[int]:
    """Give the companions that live in this test's folder."""
    return _scanned() or _scanned()  # one makes another as it starts, and may be gone before that is seen


def _scanned() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            if b"runfolio.followers" in command and os.readlink(entry / "cwd") == os.getcwd():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
