"""The bytes that a point takes: in the journal of a finished run, and in its Parquet."""

from __future__ import annotations

import glob
import os

from bench.gate import Finding, Gate
from bench.lab import Lab, Side
from bench.sides import runfolio_side

GATES = (
    Gate("disk, 10 metrics × 20,000 steps: journal", 12, 10, "B/point"),
    Gate("disk, 10 metrics × 20,000 steps: Parquet", 10, 8.5, "B/point"),
    Gate("disk, 1 metric per call: journal", 40, 32, "B/point"),
)
CALLS = 20_000


def measure(lab: Lab) -> list[Finding]:
    """Write both runs, weigh the journals, seal the first and weigh its Parquet. Units: allocated bytes."""
    ten, one = lab.fresh(), lab.fresh()
    lab.once(Side(runfolio_side, {"shape": "ten", "calls": CALLS}), ten)
    lab.once(Side(runfolio_side, {"shape": "one", "calls": CALLS}), one)
    found = [
        Finding(GATES[0], allocated(ten, "journal/*.jnl") / CALLS / 10, "allocated, random floats"),
        Finding(GATES[2], allocated(one, "journal/*.jnl") / CALLS, "allocated, random floats"),
    ]
    try:
        lab.wall(lab.command("seal"), ten)
        parquet = Finding(GATES[1], allocated(ten, "metrics.parquet") / CALLS / 10, "allocated, after runfolio seal")
    except (RuntimeError, OSError) as error:
        parquet = Finding(GATES[1], None, str(error))
    lab.drop(ten)
    lab.drop(one)
    return [found[0], parquet, found[1]]


def allocated(folder: str, pattern: str) -> int:
    """Return the bytes that the matching files of all runs occupy on the disk."""
    paths = glob.glob(os.path.join(folder, "store", "runs", "*", pattern))
    if not paths:
        raise FileNotFoundError(f"no {pattern} in any run")
    return sum(os.stat(path).st_blocks * 512 for path in paths)
