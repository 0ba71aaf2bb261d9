"""tensorboardX, read by TensorBoard."""

from __future__ import annotations

import json
import os
from typing import Any

from bench.peers.tracker import Tracker


class TensorboardX(Tracker):
    """One `add_scalar` for each metric; it flushes every 120 s and waits when 10 events are queued."""

    venv = "tensorboard"
    packages = ("tensorboard==2.21.0", "tensorboardX==2.6.5")
    note = "SummaryWriter with its defaults; the reader is TensorBoard's EventAccumulator"

    def start(self, root: str, name: str, params: dict[str, Any]) -> None:
        from tensorboardX import SummaryWriter

        self.writer = SummaryWriter(os.path.join(root, "runs", name))
        if params:
            self.writer.add_text("params", json.dumps(params))

    def log(self, metrics: dict[str, float], step: int) -> None:
        for name, value in metrics.items():
            self.writer.add_scalar(name, value, step)

    def finish(self) -> None:
        self.writer.close()

    def open(self, root: str) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        self.accumulator = EventAccumulator

    def _runs(self, root: str) -> list[Any]:
        loaded = []
        for name in os.listdir(os.path.join(root, "runs")):
            run = self.accumulator(os.path.join(root, "runs", name), size_guidance={"scalars": 0, "tensors": 0})
            loaded.append(run.Reload())
        return loaded

    def read(self, root: str, metric: str) -> int:
        runs = [run for run in self._runs(root) if metric in run.Tags()["scalars"]]
        return sum(len([(event.step, event.value) for event in run.Scalars(metric)]) for run in runs)

    def search(self, root: str) -> int:
        found = []
        for run in self._runs(root):
            text = run.Tensors("params/text_summary")[0].tensor_proto.string_val[0]
            if json.loads(text)["p0"] == "a":
                found.append(run.Scalars("m0")[-1].value)
        return len(sorted(found, reverse=True))

    def best(self, root: str) -> float:
        return float(max(run.Scalars("m0")[-1].value for run in self._runs(root)))
