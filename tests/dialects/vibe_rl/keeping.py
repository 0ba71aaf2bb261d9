"""What the tests of this dialect look at: the file as text, the runs of the store, back ends that keep or go wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import runfolio
from runfolio.dialects.vibe_rl.metrics import MetricsLogger
from runfolio.query.run import Run

WAIT_S = 60.0  # never reached, unless the test fails


def lines_of(path: Path | str) -> list[dict[str, Any]]:
    """Read a file of JSON lines strictly: no bare NaN."""

    def refuse(name: str) -> Any:
        raise AssertionError(f"bare {name} in {path}")

    return [json.loads(line, parse_constant=refuse) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def without_time(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key != "wall_time"} for record in records]


def written(records: list[Mapping[str, Any]], path: Path | str = "metrics.jsonl") -> list[dict[str, Any]]:
    """Write records, and give the lines of the file without their times."""
    with MetricsLogger(path) as logger:
        for record in records:
            logger.write(record)
    return without_time(lines_of(path))


def only_run() -> Run:
    """Give the one run of the store."""
    (run,) = runfolio.open_store().runs()
    return run


def in_another_process(program: str) -> str:
    """Run Python text in a process of its own; give what it prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Keeping:
    """A back end that keeps what it is given."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, Any], int | None]] = []
        self.closed = 0

    def log(self, record: dict[str, Any], step: int | None = None) -> None:
        self.told.append((record, step))

    def close(self) -> None:
        self.closed += 1


class Raising(Keeping):
    """A back end that raises at every record."""

    def log(self, record: dict[str, Any], step: int | None = None) -> None:
        raise OSError("no route to host")


class Hanging(Keeping):
    """A back end that does not return until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = threading.Event()
        self.let_go = threading.Event()

    def log(self, record: dict[str, Any], step: int | None = None) -> None:
        self.inside.set()
        self.let_go.wait(WAIT_S)
        super().log(record, step)
