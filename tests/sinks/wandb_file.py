"""Read what W&B wrote offline: a log of records in blocks of 32 KiB, as LevelDB writes them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

BLOCK = 32_768
FIRST, HEADER = 7, 7  # bytes of the file's own header, and of each record's
WHOLE, LAST = 1, 4


class WandbFile(NamedTuple):
    """What one offline run's file tells."""

    run: Any
    rows: list[dict[str, Any]]
    summary: dict[str, Any]
    config: dict[str, Any]
    exit_code: int | None


def read(path: Path) -> WandbFile:
    """Read one file."""
    from wandb.proto.wandb_internal_pb2 import Record

    run, rows, exit_code = None, [], None
    summary: dict[str, Any] = {}
    config: dict[str, Any] = {}
    for body in _records(path.read_bytes()):
        record = Record()
        record.ParseFromString(body)
        match record.WhichOneof("record_type"):
            case "run":
                run = record.run
                config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
            case "config":
                config |= {item.key: json.loads(item.value_json) for item in record.config.update}
            case "history":
                rows.append(_items(record.history.item))
            case "summary":
                summary |= _items(record.summary.update)
            case "exit":
                exit_code = record.exit.exit_code
    return WandbFile(run, rows, summary, config, exit_code)


def _items(items: Any) -> dict[str, Any]:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def _records(data: bytes) -> Iterator[bytes]:
    at, body = FIRST, b""
    while at + HEADER <= len(data):
        left = BLOCK - at % BLOCK
        if left < HEADER:
            at += left
            continue
        _, size, kind = struct.unpack_from("<IHB", data, at)
        body += data[at + HEADER : at + HEADER + size]
        at += HEADER + size
        if kind in (WHOLE, LAST):
            yield body
            body = b""
