"""Start the script's process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence

from runfolio.launch import child
from runfolio.launch.streams import Stream


def start_process(words: Sequence[str], environment: Mapping[str, str], streams: Sequence[Stream]) -> int:
    """Start Python with these words, in our process group; return its pid.

    Signals are held back until it has become the script, so that none ends it half way with a traceback of ours.

    Raises:
        OSError: no process is to be had.
    """
    # -I -S: nothing of the user's is loaded twice.
    command = [sys.executable, "-I", "-S", child.__file__, str(os.getpid()), *words]
    ends = [(os.POSIX_SPAWN_DUP2, end, fd) for stream in streams for fd, end in stream.ends.items()]
    held = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    return os.posix_spawn(sys.executable, command, environment, file_actions=ends, setsigmask=held)


def script_environment(run_id: str | None, store: str, piped: bool) -> dict[str, str]:
    """Give the environment that a script is started in.

    Args:
        run_id: the run that it writes to; None where nothing is tracked.
        store: the store's folder, absolute.
        piped: whether it writes to a pipe, where Python would keep its output back.
    """
    environment = dict(os.environ)
    environment.pop("RUNFOLIO_RUN_ID", None)
    if run_id is not None:
        environment["RUNFOLIO_RUN_ID"], environment["RUNFOLIO_DIR"] = run_id, store
    if piped and not environment.get("PYTHONUNBUFFERED"):
        environment["PYTHONUNBUFFERED"] = "1"
    return environment


def send(pid: int, number: int) -> None:
    """Send a signal to the script; nothing where it has ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def end_of(pid: int) -> int | None:
    """Give the wait status of the script; None while it lives. Never waits."""
    done, status = os.waitpid(pid, os.WNOHANG)
    return status if done else None


def is_in_our_group(pid: int) -> bool:
    """Say whether the script is in our process group still, where it was started."""
    try:
        return os.getpgid(pid) == os.getpgrp()
    except ProcessLookupError:
        return False
