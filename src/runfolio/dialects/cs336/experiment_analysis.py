"""ExperimentAnalyzer: load and compare the experiments of a log folder, ours and those of the original program.

Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": ExperimentAnalyzer Methods.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path

from runfolio.convert.cs336_file import files_in, is_named_as_log, read_log
from runfolio.dialects.cs336 import text
from runfolio.dialects.cs336.experiment_log import settle_folder
from runfolio.dialects.cs336.log import COLUMNS, LOSSES, ExperimentLog
from runfolio.errors import RunNotFound, Unreadable, UsageError
from runfolio.model.names import printable, shown
from runfolio.query.best import best_of

DURATION = "duration"


class ExperimentAnalyzer:
    """Compare experiments by their files. `logs` holds what was loaded, by name; of two with one name the later file's."""

    def __init__(self, log_dir: str | os.PathLike[str] = "experiment_logs") -> None:
        self.log_dir = Path(log_dir)
        self.logs: dict[str, ExperimentLog] = {}

    # ---------------------------------------------------------------- loading

    def load_all(self) -> None:
        """Load all experiments of the folder anew. What cannot be read is told and passed over; so is a folder that is not there."""
        self.logs = {}
        for log in self._read():
            self._take(log)

    def load_specific(self, names: Iterable[str]) -> None:
        """Load the experiments of these names; one that is not there is told."""
        wanted = [names] if isinstance(names, str) else list(names)
        found = [log for log in self._read() if log.name in wanted]
        for log in found:
            self._take(log)
        for name in wanted:
            if name not in {log.name for log in found}:
                print(f"No experiment {shown(name)} in {self.log_dir}")

    def _take(self, log: ExperimentLog) -> None:
        self.logs.pop(log.name, None)  # so that the order is that of the files
        self.logs[log.name] = log

    def _read(self) -> list[ExperimentLog]:
        settle_folder(self.log_dir)
        try:
            paths = files_in(os.fspath(self.log_dir))
        except OSError as error:
            print(f"The log folder cannot be read: {error.strerror}: {self.log_dir}")
            return []
        logs = []
        for path in paths:
            try:
                read = read_log(path)
            except Unreadable as unreadable:
                if is_named_as_log(path):
                    print(f"Skipped {printable(os.path.basename(path))}: {unreadable}")
                continue
            for oddity in read.oddities:
                print(f"{printable(os.path.basename(path))}: {oddity}")
            logs.append(ExperimentLog.from_fields(read.fields))
        return logs

    # ---------------------------------------------------------------- looking

    def get_comparison_table(self) -> str:
        """Set the loaded experiments side by side."""
        return text.comparison(self.logs.values())

    def print_summary(self, name: str) -> None:
        """Print one experiment."""
        print(text.summary(self._log(name)))

    def get_best_experiment(self, metric: str = "val_loss") -> tuple[str, float] | None:
        """Give the name and value of the experiment with the lowest value; None where none has one. NaN never wins.

        Args:
            metric: "val_loss" or "train_loss", over the whole history and the final value; or "duration", in seconds.
        """
        if metric not in (*LOSSES, DURATION):
            raise UsageError(f"metric must be one of {', '.join((*LOSSES, DURATION))}, not {shown(metric)}")
        values = (
            (name, log.duration_seconds if metric == DURATION else getattr(log, f"best_{metric}"))
            for name, log in self.logs.items()
        )
        return best_of(((name, value) for name, value in values if value is not None), "min")

    # ---------------------------------------------------------------- trajectories

    def get_loss_trajectories(self, name: str) -> tuple[list[int], list[float | None], list[float | None]]:
        """Give iterations, train losses and val losses, of equal length; None where one was not measured."""
        history = self._log(name).metrics_history
        return (
            [each.iteration for each in history],
            [each.train_loss for each in history],
            [each.val_loss for each in history],
        )

    def get_throughput_trajectory(self, name: str) -> tuple[list[int], list[float]]:
        """Give iterations and tokens per second, where they were measured: 0 is what `log_metrics` puts for none."""
        pairs = [(each.iteration, each.tokens_per_sec) for each in self._log(name).metrics_history]
        kept = [(iteration, value) for iteration, value in pairs if value]
        return [iteration for iteration, _ in kept], [value for _, value in kept]

    def get_learning_rate_trajectory(self, name: str) -> tuple[list[int], list[float]]:
        """Give iterations and learning rates, where they were told."""
        pairs = [(each.iteration, each.learning_rate) for each in self._log(name).metrics_history]
        kept = [(iteration, value) for iteration, value in pairs if value is not None]
        return [iteration for iteration, _ in kept], [value for _, value in kept]

    def export_csv(self, name: str, path: str | os.PathLike[str]) -> None:
        """Write the snapshots of an experiment as CSV; NA for what was not measured.

        Raises:
            OSError: the file cannot be written.
        """
        history = self._log(name).metrics_history
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for each in history:
                values = (getattr(each, column) for column in COLUMNS)
                writer.writerow(["NA" if value is None else value for value in values])

    def _log(self, name: str) -> ExperimentLog:
        try:
            return self.logs[name]
        except (KeyError, TypeError):
            loaded = ", ".join(shown(each) for each in list(self.logs)[:5]) or "none"
            raise RunNotFound(
                f"no experiment {shown(name)} is loaded; there are: {loaded}. load_all() or load_specific([…]) loads from {self.log_dir}"
            ) from None
