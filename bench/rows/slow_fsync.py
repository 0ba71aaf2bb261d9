"""The slowest calls while each fsync takes 200 ms."""

from __future__ import annotations

import os

from bench.gate import Finding, Gate, missing
from bench.lab import Lab, Side, middle
from bench.sides import orjson_side, runfolio_side

GATES = (Gate("p99.9 of log while each fsync takes 200 ms", 500, 100, "µs"),)


def measure(lab: Lab) -> list[Finding]:
    """Log once in a millisecond: a call that waits for a sync is then one in two hundred and not one in a million.

    The baseline beside it never syncs in its loop: its p99.9 is the machine's own noise.
    """
    options = {"shape": "ten", "calls": lab.pick(4_000, 1_500), "pause_s": 0.001}
    log = os.path.join(lab.folder, "syncs")
    env = {**lab.slow_fsync(200, log), "RUNFOLIO_FSYNC_EVERY_S": "0.2"}
    base, ours = [], []
    for _ in range(lab.pick(5, 2)):
        base.append(lab.once(Side(orjson_side, options)))
        open(log, "wb").close()
        ours.append(lab.once(Side(runfolio_side, options, env)))
    syncs = int(min(result["syncs"] for result in ours))
    if syncs < 4:
        return missing(GATES, f"only {syncs} syncs happened: nothing was tried")
    detail = (
        f"{syncs} syncs, 1 call per ms; slowest {middle(ours, 'max_us'):.0f} µs; the baseline without any fsync: "
        f"{middle(base, 'p999_us'):.0f} µs, slowest {middle(base, 'max_us'):.0f} µs"
    )
    return [Finding(GATES[0], middle(ours, "p999_us"), detail)]
