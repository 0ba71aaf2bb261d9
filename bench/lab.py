"""Fresh processes, one after the other, each in a folder of its own: where rows are measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SOURCE = os.path.join(ROOT, "src")
CHILD = os.path.join(HERE, "child.py")
SHIM_SOURCE = os.path.join(HERE, "slow_fsync.c")
SECONDS_MAX = 900.0


class ChildFailed(RuntimeError):
    """A measured process ended without a result."""


class Side(NamedTuple):
    """A function to run in a fresh process, with its options and what its environment has more than the others'."""

    work: Callable[..., dict[str, Any]]
    options: Mapping[str, Any] = {}
    env: Mapping[str, str] = {}


class Lab:
    """Runs sides in turn and throws their folders away.

    `quick` asks rows for few and small repetitions: good to see that they run, not to quote.
    """

    def __init__(self, folder: str, *, quick: bool = False) -> None:
        self.folder = folder
        self.quick = quick
        self._count = 0
        os.makedirs(folder, exist_ok=True)

    def pick(self, usual: int, quick: int) -> int:
        """Return the repetitions or size for this run's mood."""
        return quick if self.quick else usual

    def fresh(self) -> str:
        """Make a new empty folder."""
        self._count += 1
        path = os.path.join(self.folder, f"{os.getpid()}-{self._count}")
        os.makedirs(os.path.join(path, "home"))
        return path

    def env(self, folder: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Build a small environment whose home, cache and store lie in `folder`."""
        kept = {key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ}
        home = os.path.join(folder, "home")
        return {
            **kept,
            "HOME": home,
            "XDG_CACHE_HOME": os.path.join(home, ".cache"),
            "RUNFOLIO_DIR": os.path.join(folder, "store"),
            "PYTHONPATH": SOURCE,
            "NO_COLOR": "1",
            **(more or {}),
        }

    def once(self, side: Side, folder: str | None = None) -> dict[str, Any]:
        """Run one side to its end and return its result; a folder that is given is kept, store and all."""
        place = folder or self.fresh()
        result = os.path.join(place, "result.json")
        command = [sys.executable, "-P", CHILD, side.work.__module__, side.work.__name__]
        try:
            self.wall([*command, json.dumps(dict(side.options)), result], place, side.env)
            with open(result) as file:
                return dict(json.load(file))
        finally:
            self.drop(place if folder is None else None)

    def in_turn(self, sides: Sequence[Side], reps: int) -> list[list[dict[str, Any]]]:
        """Run A B C A B C …; return the results of each side, one for each repetition."""
        rounds = [[self.once(side) for side in sides] for _ in range(reps)]
        return [list(column) for column in zip(*rounds, strict=True)]

    def wall(self, command: Sequence[str], folder: str, more: Mapping[str, str] | None = None) -> float:
        """Run a whole command in `folder` and return its seconds from start to exit.

        Returns when what it left behind has ended too: nothing of one measurement runs beside the next.
        """
        begin = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=self.env(folder, more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        timer = threading.Timer(SECONDS_MAX, process.kill)  # communicate(timeout=…) would poll, within the time taken
        timer.start()
        _, errors = process.communicate()
        took = time.perf_counter() - begin
        timer.cancel()
        wait_for_session(process.pid)
        if process.returncode != 0:
            raise ChildFailed(self._last_line(errors) or f"exit {process.returncode}")
        return took

    def command(self, *words: str) -> list[str]:
        """Return the `runfolio` command line of the interpreter that measures."""
        script = os.path.join(os.path.dirname(sys.executable), "runfolio")
        if not os.path.exists(script):
            raise ChildFailed("no runfolio command beside this python: pip install -e . first")
        return [script, *words]

    def slow_fsync(self, milliseconds: int, log: str) -> dict[str, str]:
        """Build the shim and return the environment that makes each fsync take that long (0: none happens at all)."""
        shim = os.path.join(self.folder, "slow_fsync.so")
        if not os.path.exists(shim):
            subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", shim, SHIM_SOURCE], check=True)
        return {"LD_PRELOAD": shim, "SLOW_FSYNC_MS": str(milliseconds), "SLOW_FSYNC_LOG": log}

    def _last_line(self, text: str) -> str:
        """Return the last line of an error, without this machine's paths: results are kept in the repository."""
        lines = text.strip().splitlines()
        line = lines[-1] if lines else ""
        for path, name in ((self.folder, "…"), (ROOT, "."), (os.path.expanduser("~"), "~")):
            line = line.replace(path, name)
        return line[:200]

    def drop(self, folder: str | None) -> None:
        """Remove a folder and what is in it."""
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def ratio(ours: Sequence[Mapping[str, float]], theirs: Sequence[Mapping[str, float]], key: str) -> float:
    """Return the median of the ratios of neighbouring repetitions: a slow minute of the machine hits both."""
    return median(a[key] / b[key] for a, b in zip(ours, theirs, strict=True))


def middle(results: Sequence[Mapping[str, float]], key: str) -> float:
    """Return the median of one figure."""
    return median(result[key] for result in results)


def wait_for_session(leader: int) -> None:
    """Wait until no process of a session is left, for half a minute at most."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(_session(pid) == leader for pid in os.listdir("/proc") if pid.isdigit()):
        time.sleep(0.02)


def _session(pid: str) -> int | None:
    """Return the session of a process that is alive."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            state, _, _, session = stat.read().rpartition(")")[2].split()[:4]
    except OSError:
        return None
    return None if state == "Z" else int(session)
