"""Scripts of a user's, each in a process of its own: begun, told, interrupted, and what they kept read back."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

from runfolio.journal.scan import opening
from runfolio.store.layout import find
from sdk.told import past, points

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
PATIENCE_S = 60.0
"""How long a condition is waited for before the test fails; a sound script needs a small part of it."""

_number = count(1)


class Done(NamedTuple):
    """How a script ended."""

    code: int
    out: str
    err: str

    @property
    def warnings(self) -> int:
        """How often it was warned by us."""
        return self.err.count("RunfolioWarning")


class Script:
    """A script that runs, with pipes to it and from it."""

    def __init__(
        self,
        body: str,
        *words: object,
        env: Mapping[str, str | None] | None = None,
        before: Sequence[str] = (),
        flags: Sequence[str] = (),
        **options: Any,
    ) -> None:
        path = Path(f"script{next(_number)}.py").absolute()
        path.write_text(dedent(body))
        told = {**os.environ, "RUNFOLIO_CAPTURE": "none", "PYTHONPATH": SOURCE, **(env or {})}
        self.process = subprocess.Popen(
            [*before, sys.executable, *flags, str(path), *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={name: text for name, text in told.items() if text is not None},
            **options,
        )
        self.out = b""

    def wait_for(self, text: str) -> Script:
        """Read its output until this has come."""
        deadline, stdout = time.monotonic() + PATIENCE_S, self.process.stdout
        assert stdout
        while text.encode() not in self.out:
            ready, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(stdout.fileno(), 1 << 16) if ready else b""
            if not data:
                done = self.kill()
                raise AssertionError(f"{text!r} did not come: {done}")
            self.out += data
        return self

    def tell(self, line: str = "") -> Script:
        """Give it a line to read."""
        assert self.process.stdin
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self

    def send(self, number: int) -> Script:
        """Send it a signal."""
        self.process.send_signal(number)
        return self

    def kill(self) -> Done:
        """End it at once."""
        self.process.send_signal(signal.SIGKILL)
        return self.end()

    def end(self, patience_s: float = PATIENCE_S) -> Done:
        """Wait for its end; fail where it does not come."""
        try:
            out, err = self.process.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"the script did not end: {(self.out + out)!r} {err!r}") from None
        return Done(self.process.returncode, (self.out + out).decode(), err.decode(errors="replace"))


def run_script(body: str, *words: object, patience_s: float = PATIENCE_S, **how: Any) -> Done:
    """Run a script to its end."""
    return Script(body, *words, **how).end(patience_s)


def all_runs() -> list[str]:
    """Give the ids of all runs of the store."""
    return sorted(os.listdir(find().runs))


def only_run() -> str:
    """Give the id of the only run of the store."""
    (run_id,) = all_runs()
    return run_id


def steps_of(run_id: str) -> dict[str, list[int]]:
    """Give the steps of each metric, journal by journal, in the order of the files."""
    found: dict[str, list[int]] = {}
    for metric, step, _value, _kind in points(run_id):
        assert step is not None
        found.setdefault(metric, []).append(step)
    return found


def roles_of(run_id: str) -> Counter[str]:
    """Count the journals of a run by role; each must be sound and closed or torn only at its end."""
    scans = past(run_id).scans
    assert not any(found.damage for found in scans)
    return Counter(str(opening(found)["role"]) for found in scans)
