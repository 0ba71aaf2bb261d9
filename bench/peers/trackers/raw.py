"""The floor: lines of JSON in a file, and nothing else."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from bench.peers.tracker import Tracker


class OrjsonFlush(Tracker):
    """orjson and one `write(2)` per call: what a kill cannot take."""

    venv = "raw"
    packages = ("orjson==3.13.0",)
    note = "orjson + one write(2) per call; finish closes"
    seconds_to_settle = 0.0
    buffering = 0

    def start(self, root: str, name: str, params: dict[str, Any]) -> None:
        self._encoder()
        folder = os.path.join(root, "runs", name)
        os.makedirs(folder)
        with open(os.path.join(folder, "params.json"), "w") as file:
            json.dump(params, file)
        self.file = open(os.path.join(folder, "points.jsonl"), "ab", buffering=self.buffering)

    def _encoder(self) -> None:
        import orjson

        self.dumps, self.newline = orjson.dumps, orjson.OPT_APPEND_NEWLINE

    def log(self, metrics: dict[str, float], step: int) -> None:
        self.file.write(self.dumps({"step": step, "t": time.time(), **metrics}, option=self.newline))

    def finish(self) -> None:
        self.file.close()

    def open(self, root: str) -> None:
        import orjson

        self.loads = orjson.loads

    def _points(self, root: str, name: str, metric: str) -> list[tuple[int, float]]:
        points = []
        with open(os.path.join(root, "runs", name, "points.jsonl"), "rb") as file:
            for line in file:
                if line.endswith(b"\n"):  # the last line of a killed run may be half a line
                    row = self.loads(line)
                    points.append((row["step"], row[metric]))
        return points

    def read(self, root: str, metric: str) -> int:
        return sum(len(self._points(root, name, metric)) for name in os.listdir(os.path.join(root, "runs")))

    def search(self, root: str) -> int:
        found = []
        for name in os.listdir(os.path.join(root, "runs")):
            with open(os.path.join(root, "runs", name, "params.json"), "rb") as file:
                if self.loads(file.read())["p0"] == "a":
                    found.append((self._points(root, name, "m0")[-1][1], name))
        return len(sorted(found, reverse=True))

    def best(self, root: str) -> float:
        return max(self._points(root, name, "m0")[-1][1] for name in os.listdir(os.path.join(root, "runs")))


class OrjsonBuffered(OrjsonFlush):
    """orjson into a buffer of 64 KiB: fast, and a kill takes the buffer."""

    note = "orjson + buffered write"
    buffering = 1 << 16


class JsonFlush(OrjsonFlush):
    """The standard library's json and one `write(2)` per call."""

    note = "json.dumps + one write(2) per call"

    def _encoder(self) -> None:
        pass

    def log(self, metrics: dict[str, float], step: int) -> None:
        self.file.write((json.dumps({"step": step, "t": time.time(), **metrics}) + "\n").encode())
