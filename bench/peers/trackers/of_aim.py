"""Aim."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from bench.peers.tracker import Tracker
from bench.runs import many, rows


class Aim(Tracker):
    """`Run()` with its defaults; runs are invisible to queries until `aim storage reindex` or `aim up` saw them."""

    venv = "aim"
    packages = ("aim==3.29.1",)
    note = "defaults; readable only after `aim storage reindex`, which is not in the times"

    def env(self, root: str) -> dict[str, str]:
        return {"AIM_UI_TELEMETRY_ENABLED": "0", "AIM_LOG_LEVEL": "ERROR"}

    def start(self, root: str, name: str, params: dict[str, Any]) -> None:
        self._begin(root, name, params)

    def _begin(self, root: str, name: str, params: dict[str, Any], **how: Any) -> None:
        from aim import Repo, Run

        if not os.path.isdir(f"{root}/.aim"):
            Repo.from_path(root, init=True)
        self.run = Run(repo=root, experiment="bench", **how)
        self.run.name = name
        if params:
            self.run["hparams"] = params

    def log(self, metrics: dict[str, float], step: int) -> None:
        if len(metrics) == 1:
            (name,) = metrics
            self.run.track(metrics[name], name=name, step=step)
        else:
            self.run.track(metrics, step=step)

    def finish(self) -> None:
        self.run.close()

    def make_many(self, root: str, runs: int) -> None:
        for name, params, metrics in many(runs):
            self._begin(root, name, params, system_tracking_interval=None, capture_terminal_logs=False)
            for step, row in enumerate(rows(metrics)):
                self.run.track(row, step=step)
            self.run.close()

    def settle(self, root: str) -> None:
        tool = os.path.join(os.path.dirname(sys.executable), "aim")
        subprocess.run([tool, "storage", "--repo", root, "reindex", "-y"], stdin=subprocess.DEVNULL, timeout=120)

    def open(self, root: str) -> None:
        import numpy  # noqa: F401
        from aim import Repo

        self.repo = Repo(root)

    def _values(self, query: str) -> list[Any]:
        found = self.repo.query_metrics(query, report_mode=0).iter()
        return [metric.data.view("val").numpy()[1][0] for metric in found]

    def read(self, root: str, metric: str) -> int:
        return sum(len(values) for values in self._values(f"metric.name == '{metric}'"))

    def search(self, root: str) -> int:
        return len(sorted((v[-1] for v in self._values("run.hparams.p0 == 'a' and metric.name == 'm0'")), reverse=True))

    def best(self, root: str) -> float:
        return float(max(values[-1] for values in self._values("metric.name == 'm0'")))
