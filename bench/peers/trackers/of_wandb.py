"""W&B, offline."""

from __future__ import annotations

import glob
import struct
from collections.abc import Iterator
from typing import Any

from bench.peers.tracker import Tracker

BLOCK = 32_768  # its file is a LevelDB log: records in blocks of 32 KiB, after a header of 7 bytes


class WandbOffline(Tracker):
    """`wandb.init(mode="offline")`; the reader is ours, because reading needs an upload otherwise."""

    venv = "wandb"
    packages = ("wandb==0.31.0",)
    note = 'mode="offline", console capture off; no local queries; the reader is ours'
    asks = False

    def env(self, root: str) -> dict[str, str]:
        folders = {f"WANDB_{kind}_DIR": f"{root}/home/{kind.lower()}" for kind in ("CACHE", "CONFIG", "DATA")}
        quiet = {"WANDB_SILENT": "true", "WANDB_CONSOLE": "off", "WANDB_ERROR_REPORTING": "false"}
        return {"WANDB_MODE": "offline", "WANDB_DIR": root, **folders, **quiet}

    def start(self, root: str, name: str, params: dict[str, Any]) -> None:
        import wandb

        run = wandb.init(project="bench", name=name, dir=root, config=params, mode="offline")
        self.log, self.finish = run.log, run.finish  # type: ignore[method-assign]

    def open(self, root: str) -> None:
        from wandb.proto import wandb_internal_pb2

        self.record = wandb_internal_pb2.Record

    def read(self, root: str, metric: str) -> int:
        points = []
        for path in glob.glob(f"{root}/wandb/offline-run-*/*.wandb"):
            for body in _records(path):
                record = self.record()
                record.ParseFromString(body)
                for item in record.history.item:
                    if (item.key or ".".join(item.nested_key)) == metric:
                        points.append((record.history.step.num, float(item.value_json)))
        return len(points)


def _records(path: str) -> Iterator[bytes]:
    """Yield the whole records of a log that may be torn at its end."""
    with open(path, "rb") as file:
        data = file.read()
    offset, body = 7, b""
    while offset + 7 <= len(data):
        if BLOCK - offset % BLOCK < 7:
            offset += BLOCK - offset % BLOCK
            continue
        _, size, kind = struct.unpack_from("<IHB", data, offset)
        if kind == 0 or offset + 7 + size > len(data):
            return
        body += data[offset + 7 : offset + 7 + size]
        offset += 7 + size
        if kind in (1, 4):  # whole, or the last part
            yield body
            body = b""
