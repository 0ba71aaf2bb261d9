"""Say how many bytes runs take on the disk: allocated ones where the system tells them, contents that are shared counted once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from runfolio.store.layout import Layout


class Size(NamedTuple):
    """What one run takes. Units: bytes."""

    run_id: str
    journals: int
    artifacts: int  # also those that other runs share
    output: int
    seal: int
    other: int

    @property
    def total(self) -> int:
        return self.journals + self.artifacts + self.output + self.seal + self.other


class Total(NamedTuple):
    """What runs take together, shared contents once. Units: bytes."""

    runs: list[Size]
    total: int
    shared: int  # counted in several runs above, and once in the total


def sizes(layout: Layout, run_ids: Iterable[str]) -> Total:
    """Measure runs. What vanishes meanwhile counts nothing."""
    seen: set[tuple[int, int]] = set()
    found, total = [], 0
    for run_id in run_ids:
        size, own = _size(layout, run_id, seen)
        found.append(size)
        total += own
    return Total(found, total, sum(size.total for size in found) - total)


def _size(layout: Layout, run_id: str, seen: set[tuple[int, int]]) -> tuple[Size, int]:
    counts = dict.fromkeys(("journals", "artifacts", "output", "seal", "other"), 0)
    own = 0
    root = layout.run(run_id)
    for folder, _, names in os.walk(root):
        for name in names:
            try:
                stat = os.lstat(os.path.join(folder, name))
            except OSError:
                continue
            size = stat.st_blocks * 512 if hasattr(stat, "st_blocks") else stat.st_size
            counts[_kind(os.path.relpath(folder, root), name)] += size
            if (stat.st_dev, stat.st_ino) not in seen:
                seen.add((stat.st_dev, stat.st_ino))
                own += size
    return Size(run_id, **counts), own


def _kind(folder: str, name: str) -> str:
    top = folder.split(os.sep)[0]
    if top == "journal":
        return "journals"
    if top == "artifacts":
        return "artifacts"
    if top != ".":
        return "other"
    return {"output.log": "output", "run.json": "seal", "metrics.parquet": "seal"}.get(name, "other")
