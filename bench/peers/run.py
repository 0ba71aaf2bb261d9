#!/usr/bin/env python3
"""Run the same scenarios through several trackers in turn, and print tables with ratios to orjson + `write(2)`.

python bench/peers/run.py --install                     # one virtual environment for each tracker
python bench/peers/run.py [--only aim,runfolio] [--scenarios hot10,e2e] [--reps 3] [--seconds-max 2]
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[0] = ROOT

from bench.lab import SOURCE, wait_for_session  # noqa: E402
from bench.machine import machine_line  # noqa: E402
from bench.peers.report import render  # noqa: E402
from bench.peers.trackers import TRACKERS, load  # noqa: E402

CACHE = os.path.expanduser("~/.cache/runfolio-bench")
VENVS = os.environ.get("BENCH_VENVS", os.path.join(CACHE, "venvs"))
WORK = os.environ.get("BENCH_WORK", os.path.join(CACHE, "work"))
WORKER = os.path.join(ROOT, "bench", "peers", "worker.py")
RESULTS = os.path.join(ROOT, "bench", "results", "peers.json")
Result = dict[str, Any]


class Place:
    """A folder for one tracker's run, the processes that work in it, and what they said."""

    def __init__(self, name: str, folder: str) -> None:
        self.name = name
        self.tracker = load(name)
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        self.root = os.path.join(folder, "root")
        os.makedirs(os.path.join(self.root, "home"))
        self.counter = os.path.join(folder, "counter")

    def begin(self, task: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a worker in a session of its own; what it prints goes to a log beside the root."""
        command = [_python(self.name), "-P", WORKER, self.name, task, self.root, json.dumps(options), self._result]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=self._env(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self, task: str, seconds: float = 300, **options: Any) -> Result:
        """Run a worker to its end; a result that did not come is an `error`."""
        if os.path.exists(self._result):
            os.unlink(self._result)
        begin = time.perf_counter()
        process = self.begin(task, **options)
        # wait() without a timeout: with one it polls, and the polling would be in the times
        timer = threading.Timer(seconds, _end_session, [process])
        timer.start()
        process.wait()
        wall = time.perf_counter() - begin
        timer.cancel()
        _end_session(process)  # helpers that stayed behind
        wait_for_session(process.pid)  # and those in a process group of their own
        if not os.path.exists(self._result):
            return {"error": f"exit {process.returncode} after {wall:.1f} s: {self._last_words()}"}
        with open(self._result) as file:
            return {"wall_ms": wall * 1e3, **json.load(file)}

    def acknowledged(self) -> int:
        """Return how many calls of a crashing worker returned."""
        try:
            with open(self.counter, "rb") as file:
                return int.from_bytes(file.read(8), "little")
        except FileNotFoundError:
            return 0

    def drop(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _result(self) -> str:
        return os.path.join(self.folder, "result.json")

    def _env(self) -> dict[str, str]:
        home = os.path.join(self.root, "home")
        return {
            **{key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL") if key in os.environ},
            "HOME": home,
            "XDG_CACHE_HOME": os.path.join(home, ".cache"),
            "PYTHONPATH": SOURCE if self.tracker.venv is None else "",
            "PYTHONWARNINGS": "ignore",
            "GIT_CEILING_DIRECTORIES": self.folder,
            "NO_COLOR": "1",
            **self.tracker.env(self.root),
        }

    def _last_words(self) -> str:
        with open(os.path.join(self.folder, "log"), errors="replace") as log:
            lines = log.read().strip().splitlines()
        return lines[-1][:160] if lines else ""


def _python(name: str) -> str:
    venv = load(name).venv
    return sys.executable if venv is None else os.path.join(VENVS, venv, "bin", "python")


def _end_session(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Bench:
    """The scenarios, each over all trackers: A B C A B C."""

    def __init__(self, wanted: argparse.Namespace) -> None:
        self.wanted = wanted
        self.folder = os.path.join(WORK, f"peers-{os.getpid()}")
        self.results: dict[str, dict[str, list[Result]]] = {}

    def scenario(self, name: str) -> None:
        """Run one scenario; a tracker that failed in it is not tried again in the later turns."""
        kind: Callable[..., Result] = getattr(self, name.rstrip("0123456789"))
        places: dict[str, Place] = {}
        for turn in range(self.wanted.reps):
            for tracker in self.wanted.only:
                done = self.results.setdefault(name, {}).setdefault(tracker, [])
                if any("error" in result for result in done):
                    continue
                if tracker not in places or name not in ("read_one", "many"):
                    places[tracker] = Place(tracker, os.path.join(self.folder, f"{name}-{tracker}"))
                result = kind(places[tracker], turn, **_WIDTHS.get(name, {}))
                done.append(result)
                words = {key: round(v, 1) if isinstance(v, float) else v for key, v in result.items()}
                print(f"{time.strftime('%H:%M:%S')} {name} {tracker} {words}", file=sys.stderr, flush=True)
                if name not in ("read_one", "many"):
                    places[tracker].drop()
        for place in places.values():
            place.drop()

    def hot(self, place: Place, turn: int, shape: str, calls: int) -> Result:
        """A tight loop of log calls."""
        return place.run("hot", shape=shape, calls=calls, seconds_max=self.wanted.seconds_max)

    wide = hot

    def e2e(self, place: Place, turn: int) -> Result:
        """A whole process that logs once; a first one warms the file cache."""
        if turn == 0:
            place.run("e2e")
            place = Place(place.name, place.folder)
        return place.run("e2e")

    def read_one(self, place: Place, turn: int) -> Result:
        """Read one history; written in the first turn."""
        if turn == 0 and "error" in (made := place.run("make_one")):
            return made
        return place.run("read")

    def many(self, place: Place, turn: int) -> Result:
        """Three questions to many runs; written in the first turn."""
        if not place.tracker.asks:
            return {"error": "no local queries"}
        made = place.run("make_many", seconds=1500, runs=self.wanted.runs) if turn == 0 else {}
        return made if "error" in made else {**place.run("query"), **{k: v for k, v in made.items() if k == "make_s"}}

    def crash_self(self, place: Place, turn: int) -> Result:
        """SIGKILL by itself after the 10,000th call, or when the time is over."""
        process = place.begin("crash", calls=10_000, seconds_max=self.wanted.seconds_max * 2, counter=place.counter)
        process.wait()
        return self._recover(place, process)

    def crash_loop(self, place: Place, turn: int) -> Result:
        """SIGKILL by the parent at a random moment of a tight loop."""
        process = place.begin("crash", calls=1 << 40, seconds_max=30, counter=place.counter)
        deadline = time.monotonic() + 60
        while not place.acknowledged() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.3 + random.Random(turn).random())
        process.kill()
        process.wait()
        return self._recover(place, process)

    def _recover(self, place: Place, process: subprocess.Popen[bytes]) -> Result:
        acknowledged = place.acknowledged()
        time.sleep(place.tracker.seconds_to_settle)
        _end_session(process)
        found = place.run("recover")
        points = found.get("points")
        return {"acked": acknowledged, "recovered": points, **({"broken": found["error"]} if points is None else {})}


_WIDTHS: dict[str, dict[str, Any]] = {
    "hot1": {"shape": "one", "calls": 20_000},
    "hot10": {"shape": "ten", "calls": 20_000},
    "wide": {"shape": "wide", "calls": 200},
}
SCENARIOS = [*_WIDTHS, "e2e", "read_one", "many", "crash_self", "crash_loop"]


def install(names: list[str]) -> None:
    """Make the virtual environment of each tracker, one after the other; those that exist are left alone."""
    wanted = {tracker.venv: tracker.packages for tracker in map(load, names) if tracker.venv}
    for venv, packages in wanted.items():
        folder = os.path.join(VENVS, venv)
        if os.path.exists(os.path.join(folder, "ok")):
            continue
        print(f"installing {' '.join(packages)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([os.path.join(folder, "bin", "python"), "-m", "pip", "install", "-q", *packages], check=True)
        open(os.path.join(folder, "ok"), "w").close()


def main() -> int:
    """Install, or run the scenarios and print their tables."""
    wanted = parse()
    if wanted.install:
        install(wanted.only)
        return 0
    absent = [name for name in wanted.only if not os.path.exists(_python(name))]
    if absent:
        print(f"not installed: {', '.join(absent)}; run with --install first", file=sys.stderr)
        return 2
    bench = Bench(wanted)
    os.makedirs(bench.folder, exist_ok=True)
    busy = os.getloadavg()[0]
    try:
        for name in wanted.scenarios:
            bench.scenario(name)
        report = {
            "date": datetime.date.today().isoformat(),
            "machine": machine_line(bench.folder, busy),
            "trackers": {name: [*load(name).packages, load(name).note] for name in wanted.only},
            "results": bench.results,
        }
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    if wanted.keep:
        os.makedirs(os.path.dirname(RESULTS), exist_ok=True)
        with open(RESULTS, "w") as file:
            json.dump(report, file, indent=1, ensure_ascii=False)
    print(render(report))
    return 0


def parse() -> argparse.Namespace:
    """Read the command line; the baseline is always among the trackers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="make the virtual environments and stop")
    parser.add_argument("--only", default=",".join(TRACKERS), help="trackers: " + ",".join(TRACKERS))
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help=",".join(SCENARIOS))
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--seconds-max", type=float, default=2.0, help="when to stop a loop of a slow tracker")
    parser.add_argument("--runs", type=int, default=500, help="runs of the scenario many")
    parser.add_argument("--keep", action="store_true", help="write results/peers.json")
    wanted = parser.parse_args()
    for option, known in (("only", list(TRACKERS)), ("scenarios", SCENARIOS)):
        chosen = getattr(wanted, option).split(",")
        unknown = [name for name in chosen if name not in known]
        if unknown:
            parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
        setattr(wanted, option, chosen)
    baseline = next(iter(TRACKERS))
    wanted.only = [baseline] + [name for name in wanted.only if name != baseline]
    return wanted


if __name__ == "__main__":
    sys.exit(main())
