"""Follow the runs of one script until each has come to its end, the script's own included.

Lines of JSON come in: `{"follow": [store, run]}`, `{"settle": [store, run], "number": n}`. Lines go out: `{"settled": n, "exact": true}` when
the files are as the run is now, `{"trouble": text}` for the user. The end of input is the end of the script, however it came.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time
from typing import Any

from runfolio.followers.followed import Followed
from runfolio.sdk.following import ENDING
from runfolio.store.layout import Layout

LIVE_S, LAST_S = 0.25, 0.05
SHARE = 10  # looking may take one part in so many of the time, however many runs there are
_ALIVE_MAX_S = (
    3600.0  # how long the ends of runs are waited for that go on after their script: another process writes them
)


class Following:
    """The runs of one script."""

    def __init__(self, from_script: int, to_script: int) -> None:
        self._from, self._to = from_script, to_script
        self._runs: dict[tuple[str, str], Followed] = {}
        self._rest = b""
        self._told: set[str] = set()
        self._listening = True
        self._next = 0.0

    def go_on(self) -> None:
        """Serve until the script is gone and its runs have ended."""
        while self._listening:
            self._hear(max(0.0, self._next - time.monotonic()))
            if time.monotonic() >= self._next:
                self._look(LIVE_S)
        for run in self._runs.values():
            run.begin_again()  # an attached handle may have written to one that had ended
        gone_at = time.monotonic()
        self._look(LAST_S)
        while any(not run.ended for run in self._runs.values()) and time.monotonic() - gone_at < _ALIVE_MAX_S:
            time.sleep(max(0.0, self._next - time.monotonic()))
            self._look(LAST_S)
        for run in self._runs.values():
            run.wait()

    def _look(self, every_s: float) -> None:
        began, rendering_s = time.monotonic(), 0.0
        for run in self._runs.values():
            if not run.ended:
                rendering_s += run.look()
        now = time.monotonic()
        self._next = now + max(every_s, SHARE * (now - began - rendering_s))

    def _hear(self, wait_s: float) -> None:
        if not select.select([self._from], [], [], wait_s)[0]:
            return
        data = os.read(self._from, 1 << 16)
        if not data:
            self._listening = False
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))

    def _obey(self, message: dict[str, Any]) -> None:
        root, run_id = message.get("follow") or message["settle"]
        run = self._runs.get((root, run_id))
        if run is None:
            run = self._runs[root, run_id] = Followed(Layout(root), run_id, self._tell)
        elif "follow" in message:
            run.begin_again()
        if "settle" in message:
            self._say({"settled": message["number"], "exact": run.exact()})

    def _tell(self, trouble: str) -> None:
        if trouble not in self._told:
            self._told.add(trouble)
            self._say({"trouble": trouble})

    def _say(self, message: dict[str, Any]) -> None:
        try:
            os.write(self._to, json.dumps(message).encode() + b"\n")
        except OSError:
            pass  # nobody hears it any more


def _ends() -> tuple[int, int]:
    """Take the ends of the pipes away from standard input and output: what a tracker's package prints is no answer, and its processes keep none."""
    from_script, to_script = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return from_script, to_script


def main() -> None:
    """Serve the script at the other end of standard input and output."""
    if hasattr(os, "fork") and os.fork():
        os._exit(0)  # no child of the script's: one that waits for all its children must not wait for us
    # The signals that end the script are not for us: we write its last state after them, and then end by ourselves.
    ending = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    for number in ending:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ending)
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # what is read makes many objects and no cycles
    Following(*_ends()).go_on()
    sys.stdout.flush()
    os._exit(0)  # a sink that hangs keeps its thread, and must not keep the process


if __name__ == "__main__":
    main()
