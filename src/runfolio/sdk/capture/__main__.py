"""The companion process: look for slow facts beside the script and write them to the run.

    python -m runfolio.sdk.capture STORE RUN_ID FIELD,FIELD… CWD ATTEMPT

It says nothing, exits with 0 whatever happens, and is gone within a minute. Nothing depends on it.
"""

from __future__ import annotations

import os
import signal
import sys

GIVE_UP_S, STOP_S = 50, 10


class _TimeIsUp(BaseException):
    """Not an Exception: the captures, which survive those, must not survive this."""


def main(arguments: list[str]) -> None:
    """Collect the fields and write each as an event through a journal of our own."""
    from ..writing import open_side_writer  # here, where a failed import is as silent as any other failure
    from .collect import collect

    store_dir, run_id, fields, cwd, attempt = arguments
    writer = open_side_writer(store_dir, run_id, "capture", int(attempt))
    try:
        collect(fields.split(","), cwd, writer.event)
    finally:
        writer.close()


def _settle() -> None:
    """Be quiet, yield to the script, hold none of its files, and stop in time."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.closerange(3, 65_536)  # what the script may have inherited from others, who wait for the end of it
    os.nice(10)
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(GIVE_UP_S)


def _stop(_signal: int, _frame: object) -> None:
    """Give up; at the second time, when even that hangs, without closing anything."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.alarm(STOP_S)
    raise _TimeIsUp


if __name__ == "__main__":
    try:
        _settle()
        main(sys.argv[1:])
    except BaseException:
        pass
    os._exit(0)
