"""Call the command line in this process or in another, and make runs for it to look at."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple

import runfolio
from runfolio.cli.main import main
from runfolio.model.ids import new_id
from runfolio.sdk.writing import Pen
from runfolio.store.layout import Layout, find


class Called(NamedTuple):
    """What a call of the command ended with."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def json(self) -> Any:
        """Read the output as strict JSON: NaN and infinities are none."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is no strict JSON")

        return json.loads(self.out, parse_constant=refuse)


class _Stream(io.TextIOWrapper):
    def __init__(self, terminal: bool, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="")
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    @property
    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined, no-any-return]


def call(*arguments: str, terminal: bool = False, encoding: str = "utf-8") -> Called:
    """Call `runfolio` with these arguments in this process."""
    out, err = _Stream(terminal, encoding), _Stream(terminal, encoding)
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(list(arguments))
        except SystemExit as end:
            code = end.code
    return Called(code if isinstance(code, int) else 0, out.text, err.text)


def fine(*arguments: str, **how: Any) -> Called:
    """Call `runfolio`, and see that it ends well and says nothing on standard error."""
    called = call(*arguments, **how)
    assert (called.code, called.err) == (0, ""), called
    return called


def spawn(*arguments: str, **environment: str) -> Called:
    """Call `runfolio` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "runfolio", *arguments],
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
    )
    return Called(done.returncode, done.stdout.decode(), done.stderr.decode())


# ----------------------------------------------------------------------------------------------------------------- runs


def start(**facts: Any) -> runfolio.ActiveRun:
    """Start a run that captures nothing."""
    return runfolio.start(capture=False, **facts)


def write_run(*bodies: dict[str, Any], ended: bool = True, rank: int | None = None, run_id: str | None = None) -> str:
    """Write a run of any events, as scripts, launchers and damage leave them; return its id."""
    layout, run_id = find(), run_id or new_id()
    pen = Pen(layout, run_id, role="start", rank=rank)
    pen.writer.event({"type": "run", "experiment": "digits", "experiment_id": new_id(), "name": None})
    for body in bodies:
        pen.writer.event(body)
    if ended:
        pen.writer.event({"type": "finish", "status": "finished", "reason": None, "exit_code": None})
    pen.close(sync=False)
    return run_id


def store() -> Layout:
    """Give the store that the commands use."""
    return find()


# ----------------------------------------------------------------------------------------------------------------- text


def settled(text: str) -> str:
    """Put fixed ids, times and durations, as wide as the real ones, into a text that is compared as a whole."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "abc12345" + "0" * 24, text)
    text = re.sub(r"\b[0-9a-f]{8}\b", "abc12345", text)
    text = re.sub(r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\b", "2025-01-15 10:30:01", text)
    text = re.sub(r"\b20\d\d-\d\d-\d\.\.\.", "2025-01-1...", text)
    text = re.sub(r"\b\ds\b", "0s", text)
    return re.sub(r"took \d+\.\ds", "took 1.5s", text)
