"""A whole process: start of Python, import, start, one log, finish, exit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from statistics import median

from bench.gate import Finding, Gate
from bench.lab import Lab

GATES = (
    Gate("process: import, start, 1 log, finish, exit", 2.5, 1.7, "×"),
    Gate("the same inside a git repository", 2.5, 1.7, "×"),
)

OURS = """
import runfolio
run = runfolio.start(experiment="bench")
run.log({"m0": 1.0}, step=0)
run.finish()
"""
BASE = """
import os, time
import orjson
file = open("points.jsonl", "ab", buffering=0)
file.write(orjson.dumps({"step": 0, "t": time.time(), "m0": 1.0}, option=orjson.OPT_APPEND_NEWLINE))
os.fsync(file.fileno())
file.close()
"""
BARE = "pass"


def measure(lab: Lab) -> list[Finding]:
    """Time the process in a plain folder, then in a repository, where capture has git to ask."""
    return [_compare(lab, gate, prepare) for gate, prepare in zip(GATES, (_nothing, _repository), strict=True)]


def _compare(lab: Lab, gate: Gate, prepare: Callable[[str], None]) -> Finding:
    folder = lab.fresh()
    prepare(folder)
    scripts = {"base": BASE, "ours": OURS, "bare": BARE}
    times: dict[str, list[float]] = {name: [] for name in scripts}
    for rep in range(lab.pick(21, 5) + 1):
        for name, script in scripts.items():
            took = lab.wall([sys.executable, "-c", script], folder)
            if rep:  # the first of each warms the file cache and writes the .pyc files
                times[name].append(took)
    lab.drop(folder)
    seen = median(a / b for a, b in zip(times["ours"], times["base"], strict=True))
    ms = {name: median(took) * 1e3 for name, took in times.items()}
    detail = f"{ms['ours']:.1f} ms against {ms['base']:.1f} ms; an empty Python {ms['bare']:.1f} ms"
    return Finding(gate, seen, detail)


def _nothing(folder: str) -> None:
    pass


def _repository(folder: str) -> None:
    """Make a repository with one commit and one uncommitted change."""
    path = os.path.join(folder, "train.py")
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for words in (["init", "-q"], ["add", "train.py"], [*identity, "commit", "-q", "-m", "first"]):
        with open(path, "w") as file:
            file.write("print('one')\n")
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    with open(path, "a") as file:
        file.write("print('two')\n")
