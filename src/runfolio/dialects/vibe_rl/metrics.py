"""`vibe_rl.metrics`: log records to a JSONL file and to other trackers, read them back, show progress.

Source: vibe-rl, "Metrics & Logging".
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from runfolio.dialects.vibe_rl.backends import FedBackend, LogBackend, TensorBoardBackend, WandbBackend, resume_wandb
from runfolio.dialects.vibe_rl.console import log_step_progress, setup_logging
from runfolio.dialects.vibe_rl.paths import metrics_file
from runfolio.dialects.vibe_rl.reading import read_metrics
from runfolio.dialects.vibe_rl.records import readable_line, write_record
from runfolio.dialects.vibe_rl.runs import hold_run, leave_run
from runfolio.errors import RunIsClosed, UsageError
from runfolio.sinks.hosted import Hosted

__all__ = [
    "LogBackend", "MetricsLogger", "TensorBoardBackend", "WandbBackend", "log_step_progress", "read_metrics", "resume_wandb", "setup_logging",
]  # fmt: skip


class MetricsLogger:
    """Write records to a metrics file, which is a run of the store; and to other trackers.

    The same file again goes on with the same run. As a context manager it closes itself; an exception is kept in the run.

    Contract: any thread may write. When `write` has returned, the record survives a SIGKILL; the file follows within a second, or 50 times what it
    takes to write it, and is exact after `close`. No trouble of a disk or of another tracker raises here.

    Args:
        path: the file, or a RunDir.
        backends: objects with `log(record, step=None)` and `close()`.

    Raises:
        UsageError: a backend without these.
    """

    def __init__(self, path: str | os.PathLike[str], backends: Sequence[LogBackend] | None = None) -> None:
        _check(backends or ())
        self.path = metrics_file(path)
        self._run = hold_run(self.path)
        self._began = time.monotonic()
        self._closed = False
        self._hosted: list[Hosted] = []
        for backend in backends or ():
            if isinstance(backend, FedBackend):
                backend.attach(self._run)
            else:
                self._hosted.append(Hosted(backend))

    def write(self, record: Mapping[str, Any]) -> None:
        """Write a record. `step` among its fields is its step; `wall_time`, the seconds since this logger was made, is added where it has none.

        Raises:
            RunIsClosed: after `close()`. UsageError: no dict. InvalidValue: a text of more than 1 MiB.
        """
        if self._closed:
            raise RunIsClosed(f"this logger is closed; a new MetricsLogger goes on with {self.path}")
        try:
            fields = {**record}
        except TypeError:
            raise UsageError(f"a record is a dict of names to values, not {type(record).__name__}") from None
        if "wall_time" not in fields:
            fields["wall_time"] = round(time.monotonic() - self._began, 3)
        if self._hosted:
            self._hand_out(fields)
        write_record(self._run, fields)

    def _hand_out(self, fields: Mapping[str, Any]) -> None:
        line = readable_line(fields)
        for hosted in self._hosted:
            hosted.log({**line}, line.get("step"))

    def close(self) -> None:
        """End the run, with its file and other trackers complete, unless another logger here still writes to it. Doing it again does nothing."""
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        if self._closed:
            return
        self._closed = True
        for hosted in self._hosted:
            hosted.close()
        leave_run(self._run, error)

    def __enter__(self) -> MetricsLogger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end(error)


def _check(backends: Sequence[object]) -> None:
    for backend in backends:
        for method in ("log", "close"):
            if not callable(getattr(backend, method, None)):
                raise UsageError(f"a backend has log(record, step=None) and close(); {backend!r} has no {method}")
