"""A server of the app as a process of its own, and what it costs."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from types import TracebackType

from bench.lab import SOURCE

_ADDRESS = re.compile(rb"http://[0-9.:]+\S*")


class Served:
    """`runfolio ui` on a store; `address` answers from the beginning of the with-block, `cold_s` after the start of the process."""

    def __init__(self, store: str, cache: str) -> None:
        self._env = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": SOURCE, "RUNFOLIO_DIR": store}
        self.store = store

    def __enter__(self) -> Served:
        begin = time.perf_counter()
        port = 20_000 + os.getpid() % 20_000
        command = [sys.executable, "-m", "runfolio", "ui", self.store, "--port", str(port), "--no-browser"]
        self._process = subprocess.Popen(command, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        line = b""
        while not (found := _ADDRESS.search(line)):
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("the server ended before it told its address")
        self.address = found.group().decode().rstrip("/.")
        self._wait_for_page(begin + 60)
        self.cold_s = time.perf_counter() - begin
        return self

    def _wait_for_page(self, until: float) -> None:
        while True:
            try:
                with urllib.request.urlopen(self.address + "/", timeout=10) as answer:
                    answer.read()
                    return
            except OSError:
                if time.perf_counter() > until:
                    raise
                time.sleep(0.005)

    @property
    def rss_mb(self) -> float:
        with open(f"/proc/{self._process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

    @property
    def cpu_s(self) -> float:
        with open(f"/proc/{self._process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
