"""A script in a process of its own that says where it stands and waits to be told to go on."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from journal.reading import journals_in, scan_file
from runfolio.journal import scan
from runfolio.model.ids import short

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
PATIENCE_S = 60.0
TROUBLE = "has trouble with its disk"

PRELUDE = """
import os, sys
def say(*words): print(*words, flush=True)
def hear(): return sys.stdin.readline().strip()
import runfolio
"""


class Ended(NamedTuple):
    """How a script ended, and what it said."""

    code: int
    out: list[str]
    err: str

    @property
    def warnings(self) -> list[str]:
        """What it was warned of: the troubles of its disk, in words."""
        told = (line.partition(f" {TROUBLE}: ")[2] for line in self.err.splitlines())
        return [cause.partition(".")[0] for cause in told if cause]

    @property
    def last_line(self) -> str:
        return (self.err.splitlines() or [""])[-1]


class Talk:
    """A script that runs, and its two pipes. Its standard error goes to a file: nothing that it says can block it."""

    def __init__(self, text: str, folder: Path, before: Sequence[str] = (), **env: str) -> None:
        self._err = folder / f"err-{time.monotonic_ns()}"
        with open(self._err, "wb") as err:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-c", PRELUDE + text],
                env={**os.environ, "PYTHONPATH": SOURCE, "RUNFOLIO_CAPTURE": "none", "PYTHONWARNINGS": "always", **env},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=err,
            )
        self._lines: list[str] = []
        self._rest = b""
        self._watch = selectors.DefaultSelector()
        assert self.process.stdout is not None
        self._watch.register(self.process.stdout, selectors.EVENT_READ)

    def hear(self) -> list[str]:
        """Wait for the script's next line; its words."""
        heard = self._next()
        assert heard is not None, f"it ended: {self.process.wait(PATIENCE_S)}: {self.err}"
        return heard.split()

    def _next(self) -> str | None:
        while b"\n" not in self._rest:
            assert self._watch.select(PATIENCE_S), f"it says nothing: {self.err}"
            assert self.process.stdout is not None
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        self._lines.append(line.decode())
        return self._lines[-1]

    def said(self) -> bool:
        """Whether it has said something that is not heard yet, or has ended."""
        return bool(self._watch.select(0))

    def say(self, word: str = "go") -> None:
        """Tell the script to go on."""
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def end(self) -> Ended:
        """Let the script run to its end."""
        while self._next() is not None:
            pass
        return Ended(self.process.wait(PATIENCE_S), self._lines, self.err)

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass  # what it was told last was never heard
        self._watch.close()


def command(*words: str, store: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Call `runfolio` on a store, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "runfolio", *words],
        env={**os.environ, "PYTHONPATH": SOURCE, "RUNFOLIO_DIR": str(store), **env},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def shown(store: Path, run_id: str) -> dict[str, Any]:
    """Give what `runfolio show --json` says of a run."""
    done = command("show", run_id, "--json", store=store)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def steps_in(*folders: Path) -> list[int]:
    """Give the steps of the calls that the journals below these folders hold, in order. Damage is a failure."""
    found: list[int] = []
    for path in journals_in(*folders):
        read = scan_file(path)
        assert (read.damage, read.torn) == ([], 0), path
        found += [row.step for row in scan.rows(read) if row.step is not None]
    assert len(found) == len(set(found)), "doubled"
    return sorted(found)


def lost_line(run_id: str, points: int) -> str:
    """Give the beginning of the line that tells of a loss at the end."""
    return f"runfolio: run {short(run_id)} lost {points} values ("
