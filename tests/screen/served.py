"""`runfolio ui` as a process of its own, which a test may stop and start again at the same address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from server.serving import PATIENCE_S, wait_for


class Served:
    """A server of stores; its own cache lies where the environment says."""

    def __init__(self, *stores: Path, env: Mapping[str, str] | None = None) -> None:
        self._stores = stores
        self._env = dict(os.environ if env is None else env)
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.log = stores[0].with_name(stores[0].name + ".server.log")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str = "runs") -> str:
        """Give the address of a page of the first store."""
        return f"{self.address}/{self._stores[0].name}/{path}"

    def start(self) -> Served:
        """Start it, and wait until it answers."""
        stores = [str(store) for store in self._stores]
        command = [sys.executable, "-m", "runfolio", "ui", *stores, "--port", str(self.port), "--no-browser"]
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(command, env=self._env, stdout=log, stderr=log)
        wait_for(self._answers)
        return self

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(PATIENCE_S)
        finally:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(self.address + "/health", timeout=PATIENCE_S) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
