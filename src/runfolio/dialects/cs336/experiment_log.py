"""ExperimentTracker: one experiment of a language model, written as a run.

Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": ExperimentTracker Methods.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn
from weakref import WeakSet

from runfolio.dialects.cs336 import text
from runfolio.dialects.cs336.config import ExperimentConfig
from runfolio.dialects.cs336.file_name import claim_path
from runfolio.dialects.cs336.log import ExperimentLog, MetricsSnapshot
from runfolio.errors import RunIsClosed, UsageError
from runfolio.model.names import check_name, shown
from runfolio.model.numbers import check_step, scalar
from runfolio.model.params import flatten
from runfolio.model.states import RUNNING
from runfolio.sdk import start as sdk_start
from runfolio.sdk import trouble
from runfolio.sdk.active import ActiveRun
from runfolio.sdk.following import keep_view, settle

__all__ = ["ExperimentConfig", "ExperimentLog", "ExperimentTracker", "MetricsSnapshot"]

FORMAT = "cs336"
_TRACKERS: WeakSet[ExperimentTracker] = WeakSet()


class ExperimentTracker:
    """Track one experiment: `start`, log, `finish`, `save`.

    Contract: as of the run it writes to. What is logged is safe at once; the file follows, and is exact after `save` and at the end.
    """

    def __init__(self, config: ExperimentConfig, log_dir: str | os.PathLike[str] = "experiment_logs") -> None:
        self.config = config
        self.log_dir = Path(log_dir)
        self.gradient_step = 0
        self._run: ActiveRun | None = None
        self._path = ""
        self._options: dict[str, str] = {}
        self._zero_s = 0.0
        # What a call of log does depends on where the tracker stands; so no call has to ask.
        self._log: Callable[[dict[str, Any], int], None] = self._log_first

    # ---------------------------------------------------------------- the beginning

    def start(self) -> None:
        """Begin timing, and a run of the experiment's name.

        Raises:
            UsageError: it has begun before. InvalidValue: a name or field of the config that cannot be kept.
        """
        if self._run is not None:
            raise UsageError(
                f"the tracker of {shown(self.config.experiment_name)} has started already, run {self._run.id[:8]}; "
                "make a new ExperimentTracker for another run"
            )
        name, params = check_name(self.config.experiment_name, "experiment_name"), flatten(vars(self.config))
        run = sdk_start.start(experiment=name, name=name)
        run.set_params(params, replace=True)
        for loss in ("train_loss", "val_loss"):
            run.define(loss, goal="min")
        started = datetime.now().astimezone()
        self._zero_s = perf_counter()
        self._options = {"started": started.isoformat()}
        self._path = claim_path(run, os.path.abspath(self.log_dir), name, started)
        keep_view(run, FORMAT, self._path, **self._options)
        self._run = run
        self._log = run.log
        _TRACKERS.add(self)

    def _begun(self, verb: str) -> ActiveRun:
        """Give the run; where `start` was forgotten, begin it now rather than lose what is told."""
        if self._run is None:
            trouble.tell(f"ExperimentTracker.{verb} came before start(): the run and its time begin here")
            self.start()
        assert self._run is not None
        return self._run

    # ---------------------------------------------------------------- the loop

    def log_metrics(
        self,
        iteration: int,
        train_loss: float | None = None,
        learning_rate: float | None = 0.0,
        tokens_per_sec: float | None = 0.0,
        iter_time_ms: float | None = 0.0,
    ) -> None:
        """Keep a snapshot of an iteration.

        Args:
            iteration: an integer, from 0 by custom.
            train_loss: None where it was not measured.
            learning_rate, tokens_per_sec, iter_time_ms: None is 0.0.

        Raises:
            InvalidValue: no number, or no integer iteration. RunIsClosed: after `finish`.
        """
        if type(iteration) is not int:
            iteration = check_step(iteration, "iteration")
        metrics: dict[str, Any] = {
            "train_loss": train_loss,
            "learning_rate": 0.0 if learning_rate is None else learning_rate,
            "tokens_per_sec": 0.0 if tokens_per_sec is None else tokens_per_sec,
            "iter_time_ms": 0.0 if iter_time_ms is None else iter_time_ms,
            "gradient_step": self.gradient_step,
            "wallclock_time": perf_counter() - self._zero_s,
        }
        if train_loss is None:
            del metrics["train_loss"]
        self._log(metrics, iteration)

    def log_eval(self, iteration: int, train_loss: float | None = None, val_loss: float | None = None) -> None:
        """Keep an evaluation: it fills the snapshot of its iteration, or makes one.

        Args:
            train_loss: fills one that is missing in the snapshot, and never replaces one.

        Raises:
            InvalidValue: no number, or no integer iteration. RunIsClosed: after `finish`.
        """
        metrics = {"gradient_step": self.gradient_step, "wallclock_time": perf_counter() - self._zero_s}
        losses = {"train_loss": train_loss, "val_loss": val_loss}
        metrics.update((name, value) for name, value in losses.items() if value is not None)
        self._log(metrics, check_step(iteration, "iteration"))

    def increment_gradient_step(self) -> None:
        """Count a step of the optimizer; each later snapshot tells how many there were."""
        self.gradient_step += 1

    def _log_first(self, metrics: dict[str, Any], iteration: int) -> None:
        self._begun("log_metrics() or log_eval()").log({**metrics, "wallclock_time": 0.0}, iteration)

    def _log_no_more(self, metrics: dict[str, Any], iteration: int) -> None:
        self._refuse(f"iteration {iteration}")

    def _refuse(self, what: str) -> NoReturn:
        raise RunIsClosed(
            f"the experiment {shown(self.config.experiment_name)} is finished, and takes no {what} any more; "
            "make a new ExperimentTracker"
        )

    # ---------------------------------------------------------------- the end

    def finish(self, train_loss: float | None = None, val_loss: float | None = None, notes: str | None = "") -> None:
        """End the run with its final losses. Doing it again without arguments does nothing.

        Raises:
            InvalidValue: a loss that is no number, notes that are no text. RunIsClosed: other facts after the end.
        """
        finals = {"train_loss": train_loss, "val_loss": val_loss}
        summary = {f"final_{name}": scalar(value, name) for name, value in finals.items() if value is not None}
        run = self._begun("finish()")
        if run.status != RUNNING:
            if summary or notes:
                self._refuse("other losses or notes")
            return
        self._tell_config(run)
        if notes:
            run.notes = notes
        run.summary.update(duration_seconds=self.get_elapsed_time(), **summary)
        self._log = self._log_no_more
        run.end()

    def save(self) -> Path:
        """Return when the file is on the disk, exact as of now."""
        run = self._begun("save()")
        if run.status == RUNNING:
            self._tell_config(run)
        settle(run)
        path = self.log_dir / os.path.basename(self._path)
        return path if os.path.abspath(path) == self._path else Path(self._path)

    def _tell_config(self, run: ActiveRun) -> None:
        """Tell what has changed in the config since the start; nothing is told twice."""
        run.set_params(vars(self.config), replace=True)

    # ---------------------------------------------------------------- looking

    def get_elapsed_time(self) -> float:
        """Give the seconds since the start; 0.0 before."""
        return 0.0 if self._run is None else perf_counter() - self._zero_s

    def get_log(self) -> ExperimentLog:
        """Give the experiment as it stands."""
        if self._run is None or self._run.pen.role == "disabled":
            return ExperimentLog(self.config)
        # Here: what reads journals loads numpy, and a script that only logs does not need it.
        from runfolio.convert.cs336_record import log_of
        from runfolio.convert.view import snapshot

        return ExperimentLog.from_fields(log_of(snapshot(self._run.pen.layout, self._run.id), self._options))

    def get_summary_stats(self) -> dict[str, Any]:
        """Give the experiment in a few numbers; None for what is not known."""
        log = self.get_log()
        speeds = [each.tokens_per_sec for each in log.metrics_history if each.tokens_per_sec]
        return {
            "experiment_name": log.name,
            "iterations": log.iterations,
            "snapshots": len(log.metrics_history),
            "gradient_steps": self.gradient_step,
            "elapsed_seconds": self.get_elapsed_time() if log.duration_seconds is None else log.duration_seconds,
            "best_train_loss": log.best_train_loss,
            "best_val_loss": log.best_val_loss,
            "final_train_loss": log.final_train_loss,
            "final_val_loss": log.final_val_loss,
            "mean_tokens_per_sec": sum(speeds) / len(speeds) if speeds else None,
        }

    def print_summary(self) -> None:
        """Print the experiment as it stands."""
        print(text.summary(self.get_log()))


def settle_folder(folder: str | os.PathLike[str]) -> None:
    """Make exact the files of this process's experiments in a log folder."""
    there = os.path.realpath(folder)
    for tracker in list(_TRACKERS):
        if tracker._run is not None and os.path.dirname(tracker._path) == there:
            settle(tracker._run)
