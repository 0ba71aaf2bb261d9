"""What an experiment left: its config, its snapshots, its best and final losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from runfolio.dialects.cs336.config import ExperimentConfig, keeping_all
from runfolio.query.best import best_of

LOSSES = ("train_loss", "val_loss")


@dataclass
class MetricsSnapshot:
    """The metrics of one iteration; None for what was not measured.

    Units: wallclock_time in seconds since the start.
    Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": Metrics Logged.
    """

    iteration: int
    gradient_step: int | None = None
    wallclock_time: float | None = None
    train_loss: float | None = None
    val_loss: float | None = None
    learning_rate: float | None = None
    tokens_per_sec: float | None = None
    iter_time_ms: float | None = None


COLUMNS = tuple(each.name for each in fields(MetricsSnapshot))


@dataclass
class ExperimentLog:
    """A whole experiment, as its file says.

    Source: docs of cs336_basics, "Experiment Tracking - Quick Reference": Output Files.
    """

    config: ExperimentConfig
    start_time: str | None = None
    end_time: str | None = None
    duration_seconds: float | None = None
    metrics_history: list[MetricsSnapshot] = field(default_factory=list)
    best_train_loss: float | None = None
    best_val_loss: float | None = None
    final_train_loss: float | None = None
    final_val_loss: float | None = None
    notes: str = ""

    @classmethod
    def from_fields(cls, told: Mapping[str, Any]) -> ExperimentLog:
        """Make one of what a file says; the best losses are chosen anew, where there is something to choose from."""
        log: ExperimentLog = keeping_all(
            cls,
            {
                **told,
                "config": ExperimentConfig.from_fields(told["config"]),
                "metrics_history": list(_snapshots(told["metrics_history"])),
            },
        )
        for name in LOSSES:
            best = log.best(name)
            if best is not None:
                setattr(log, f"best_{name}", best)
        return log

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.config.experiment_name

    @property
    def iterations(self) -> int:
        """How many iterations there were, as far as they were logged: they count from 0."""
        return max((each.iteration for each in self.metrics_history), default=-1) + 1

    @property
    def gradient_steps(self) -> int:
        """How many gradient steps the last snapshots tell of."""
        return max((each.gradient_step or 0 for each in self.metrics_history), default=0)

    def best(self, loss: str) -> float | None:
        """Give the lowest value of a loss, over the history and the final one; NaN is none."""
        values = (getattr(each, loss) for each in self.metrics_history)
        return lowest((*values, getattr(self, f"final_{loss}")))


def lowest(values: Iterable[float | None]) -> float | None:
    """Give the lowest of the values that there are."""
    best = best_of(((None, value) for value in values if value is not None), "min")
    return None if best is None else best[1]


def _snapshots(rows: Iterable[Mapping[str, Any]]) -> Iterator[MetricsSnapshot]:
    """Make the snapshots; what is no number where one belongs was not measured."""
    for row in rows:
        yield keeping_all(MetricsSnapshot, {name: value for name, value in row.items() if _fits(name, value)})


def _fits(name: str, value: object) -> bool:
    return name not in COLUMNS or (isinstance(value, (int, float)) and not isinstance(value, bool))
