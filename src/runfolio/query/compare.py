"""Runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runfolio.model.params import same
from runfolio.query.run import Run
from runfolio.store.summary import Number

MISSING = object()


class Comparison:
    """What differs between runs, and how their metrics ended."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)
        """The runs, in the order given."""
        self.params: dict[str, list[Any]] = {}
        """The params that are not the same in all runs, by dotted key: one value for each run, None where it has none."""
        self.same_params: dict[str, Any] = {}
        """The params that are the same in all runs."""
        self.metrics: dict[str, list[Number | None]] = {}
        """The last value of each metric: one for each run, None where it has none or has several ranks."""
        self.best: dict[str, int] = {}
        """For each metric with a declared goal, the place of the run whose last value is best. NaN never is."""
        self._compare_params()
        self._compare_metrics()

    def _compare_params(self) -> None:
        flats = [run.flat_params for run in self.runs]
        for key in dict.fromkeys(key for flat in flats for key in flat):
            values = [flat.get(key, MISSING) for flat in flats]
            if all(value is not MISSING and same(value, values[0]) for value in values):
                self.same_params[key] = values[0]
            else:
                self.params[key] = [None if value is MISSING else value for value in values]

    def _compare_metrics(self) -> None:
        for name in dict.fromkeys(name for run in self.runs for name in run.metrics):
            self.metrics[name] = [_last(run, name) for run in self.runs]
            goals = {run.goals[name] for run in self.runs if name in run.goals}
            if len(goals) == 1:
                known = [
                    (value, at) for at, value in enumerate(self.metrics[name]) if value is not None and value == value
                ]
                if known:
                    sign = 1 if goals.pop() == "min" else -1
                    self.best[name] = min(known, key=lambda pair: (sign * pair[0], pair[1]))[1]

    def __len__(self) -> int:
        return len(self.runs)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.runs)} runs: {len(self.params)} params differ, {len(self.metrics)} metrics>"


def compare(runs: Sequence[Run]) -> Comparison:
    """Set runs side by side."""
    return Comparison(runs)


def _last(run: Run, name: str) -> Number | None:
    ranks = run.metrics.ranks(name) if name in run.metrics else []
    return run.metrics[name].last if len(ranks) == 1 else None
