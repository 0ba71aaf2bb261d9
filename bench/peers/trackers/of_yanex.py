"""yanex."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.peers.tracker import Tracker
from bench.runs import many, rows


class Yanex(Tracker):
    """`create_experiment` and `log_metrics`, which rewrites the whole metrics.json each time."""

    venv = "yanex"
    packages = ("yanex==0.6.1",)
    note = "rewrites metrics.json at each call; many runs by its storage's save_results"

    def env(self, root: str) -> dict[str, str]:
        return {"YANEX_EXPERIMENTS_DIR": root + "/yanex"}

    def _create(self, root: str, name: str, params: dict[str, Any]) -> Any:
        import yanex

        self.yanex = yanex
        script = Path(root) / "script.py"
        script.touch()
        return yanex.create_experiment(script_path=script, name=name, config=params)

    def start(self, root: str, name: str, params: dict[str, Any]) -> None:
        self.context = self._create(root, name, params)
        self.context.__enter__()

    def log(self, metrics: dict[str, float], step: int) -> None:
        self.yanex.log_metrics(metrics, step=step)

    def finish(self) -> None:
        self.context.__exit__(None, None, None)

    def make_one(self, root: str, values: list[float]) -> bool:
        self._save(root, "one", {}, ({"m0": value} for value in values))
        return True

    def make_many(self, root: str, runs: int) -> None:
        for name, params, metrics in many(runs):
            self._save(root, name, params, rows(metrics))

    def _save(self, root: str, name: str, params: dict[str, Any], calls: Iterable[dict[str, float]]) -> None:
        from yanex.core.manager import ExperimentManager

        with self._create(root, name, params):
            points = [{**metrics, "step": step} for step, metrics in enumerate(calls)]
            ExperimentManager().storage.save_results(self.yanex.get_experiment_id(), points)

    def open(self, root: str) -> None:
        import yanex.results

        self.results = yanex.results

    def read(self, root: str, metric: str) -> int:
        tables = self.results.get_metrics(metrics=metric, params="none", as_dataframe=False)
        return sum(1 for points in tables.values() for point in points if metric in point)

    def _final(self, experiment: Any) -> float:
        return float(experiment.get_metrics(as_dataframe=False)[-1]["m0"])

    def search(self, root: str) -> int:
        found = [self._final(one) for one in self.results.get_experiments() if one.get_param("p0") == "a"]
        return len(sorted(found, reverse=True))

    def best(self, root: str) -> float:
        return self._final(self.results.get_best("m0", maximize=True))
