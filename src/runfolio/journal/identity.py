"""Tell who writes: enough to prove later, on the same machine, that the process is gone."""

from __future__ import annotations

import os
from typing import Any


def identity() -> dict[str, Any]:
    """Give host, pid, start of the process, boot id and pid namespace; None for what the system does not tell."""
    pid = os.getpid()
    return {"host": host(), "pid": pid, "pid_start": pid_start(pid), "boot_id": boot_id(), "pid_ns": pid_namespace()}


def host() -> str:
    """Give the name of this machine."""
    try:
        return os.uname().nodename
    except AttributeError:
        return os.environ.get("COMPUTERNAME", "")


def boot_id() -> str | None:
    """Give the id that the kernel made at boot; None where there is none. Once found, it stays for as long as this process lives."""
    global _boot_id
    if _boot_id is None:
        _boot_id = _text("/proc/sys/kernel/random/boot_id")
    return _boot_id


_boot_id: str | None = None


def pid_namespace() -> str | None:
    """Give the namespace in which our pid means something."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def pid_start(pid: int) -> int | None:
    """Give when a process started, in clock ticks since boot; None where that is not told."""
    try:
        return _state(pid)[1]
    except (OSError, ValueError, IndexError):
        return None


def lives(pid: int, start: int | None) -> bool | None:
    """Say whether the process that had this number and start still runs; None where we are not told.

    /proc may hide the processes of others (hidepid): what is not seen there is gone only if it cannot be signalled either. One that only waits to
    be reaped is gone.
    """
    try:
        state, now = _state(pid)
    except (FileNotFoundError, ProcessLookupError):
        return False if _has_no_process(pid) else None
    except (OSError, ValueError, IndexError):
        return None
    return state not in ("Z", "X") and (start is None or now == start)


def _state(pid: int) -> tuple[str, int]:
    """Read the state and the start of a process."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        stat = file.read()
    fields = stat[stat.rindex(")") + 2 :].split()
    return fields[0], int(fields[19])


def _has_no_process(pid: int) -> bool:
    """Say whether no process has this number, by asking the kernel and not /proc."""
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        pass  # somebody else's, as a rule
    return pid <= 0


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None
