"""trackio, local."""

from __future__ import annotations

from typing import Any

from bench.peers.tracker import Tracker
from bench.runs import many, rows


class Trackio(Tracker):
    """`trackio.init`, `log`, `finish`; read through the storage class that its own screen uses."""

    venv = "trackio"
    packages = ("trackio==0.43.0",)
    note = "local; reads through its SQLiteStorage, its API shows no histories"
    seconds_to_settle = 1.5

    def env(self, root: str) -> dict[str, str]:
        return {"TRACKIO_DIR": root + "/trackio", "HF_HUB_OFFLINE": "1"}

    def start(self, root: str, name: str, params: dict[str, Any]) -> None:
        import trackio

        trackio.init(project="bench", name=name, config=params, embed=False)
        self.log, self.finish = trackio.log, trackio.finish  # type: ignore[method-assign]

    def make_many(self, root: str, runs: int) -> None:
        self.open(root)
        for name, params, metrics in many(runs):
            steps = list(rows(metrics))
            self.storage.bulk_log(
                project="bench",
                run=name,
                run_id="id-" + name,
                metrics_list=steps,
                steps=list(range(len(steps))),
                config=params,
            )

    def open(self, root: str) -> None:
        from trackio.sqlite_storage import SQLiteStorage

        self.storage = SQLiteStorage

    def _values(self, metric: str, names: set[str] | None = None) -> list[list[float]]:
        found = []
        for run in self.storage.get_run_records("bench"):
            if names is None or run["name"] in names or run["id"] in names:
                points = self.storage.get_metric_values("bench", run["name"], metric, run_id=run["id"])
                found.append([point["value"] for point in points])
        return found

    def read(self, root: str, metric: str) -> int:
        return sum(map(len, self._values(metric)))

    def search(self, root: str) -> int:
        configs = self.storage.get_all_run_configs("bench")
        names = {name for name, config in configs.items() if config.get("p0") == "a"}
        return len(sorted((values[-1] for values in self._values("m0", names)), reverse=True))

    def best(self, root: str) -> float:
        return max(values[-1] for values in self._values("m0"))
