"""What an adapter does for a tracker."""

from __future__ import annotations

from typing import Any

from bench.runs import many, rows


class Tracker:
    """A tracker as the scenarios see it.

    **Contract** An adapter's module imports the standard library only; the tracker's own import happens in `start` or
    `open`. Writing: `start`, `log` …, `finish`, in one process. Reading, in another: `open`, which is not timed, then
    the questions, which are, each answered over all runs in the folder.
    """

    venv: str | None = None  # None: the interpreter that runs the harness
    packages: tuple[str, ...] = ()
    note = ""
    asks = True  # False: has no local way to ask about many runs
    seconds_to_settle = 1.0  # after a kill, for helper processes to write what they hold

    def env(self, root: str) -> dict[str, str]:
        """Return the variables that keep the tracker local and quiet."""
        return {}

    def start(self, root: str, name: str, params: dict[str, Any]) -> None:
        """Begin a run in the folder."""
        raise NotImplementedError

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Log one step the way the tracker's documentation does it."""
        raise NotImplementedError

    def finish(self) -> None:
        """End the run."""
        raise NotImplementedError

    def make_one(self, root: str, values: list[float]) -> bool:
        """Write one run of m0 in bulk, where calling `log` would take minutes; False: it would not."""
        return False

    def make_many(self, root: str, runs: int) -> None:
        """Write the runs of `bench.runs`, by the quickest means there is."""
        for name, params, metrics in many(runs):
            self.start(root, name, params)
            for step, row in enumerate(rows(metrics)):
                self.log(row, step)
            self.finish()

    def settle(self, root: str) -> None:
        """Do what a user must do after writing, or after a crash, before the data can be read."""

    def open(self, root: str) -> None:
        """Import the reader and open the store."""

    def read(self, root: str, metric: str) -> int:
        """Load the whole history of a metric into memory and return its number of points."""
        raise NotImplementedError

    def search(self, root: str) -> int:
        """Return how many runs have p0 == "a", after ordering them by their final m0, highest first."""
        raise NotImplementedError

    def best(self, root: str) -> float:
        """Return the final m0 of the run where it is highest."""
        raise NotImplementedError
