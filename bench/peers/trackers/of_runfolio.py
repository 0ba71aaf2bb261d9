"""runfolio, from this checkout."""

from __future__ import annotations

from typing import Any

from bench.peers.tracker import Tracker


class Runfolio(Tracker):
    """runfolio as it comes: through the memory map where the file system allows it."""

    note = "defaults"
    seconds_to_settle = 0.0
    capture: bool | None = None

    def env(self, root: str) -> dict[str, str]:
        return {"RUNFOLIO_DIR": root + "/store"}

    def start(self, root: str, name: str, params: dict[str, Any]) -> None:
        import runfolio

        run = runfolio.start(experiment="bench", name=name, params=params, capture=self.capture)
        self.log, self.finish = run.log, run.finish  # type: ignore[method-assign]

    def make_many(self, root: str, runs: int) -> None:
        self.capture = False  # or 500 companions would look at the same packages at once
        super().make_many(root, runs)

    def open(self, root: str) -> None:
        import numpy  # noqa: F401

        import runfolio

        self.store = runfolio.open_store(root + "/store")

    def read(self, root: str, metric: str) -> int:
        return sum(len(series.values) for series in self.store.series(metric).values())

    def search(self, root: str) -> int:
        return len(self.store.runs("params.p0 == 'a'", sort="-metrics.m0.last"))

    def best(self, root: str) -> float:
        best = self.store.best("m0", mode="max", at="last")
        return float(best.metrics["m0"].last) if best else float("nan")


class RunfolioFallback(Runfolio):
    """runfolio where no map is allowed: one `write(2)` per call."""

    note = "RUNFOLIO_MAP=0"

    def env(self, root: str) -> dict[str, str]:
        return {**super().env(root), "RUNFOLIO_MAP": "0"}
