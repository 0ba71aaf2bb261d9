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
    """Give the id that the kernel made at boot; None where there is none."""
    return _text("/proc/sys/kernel/random/boot_id")


def pid_namespace() -> str | None:
    """Give the namespace in which our pid means something."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None


def pid_start(pid: int) -> int | None:
    """Give when a process started, in clock ticks since boot; None where there is no such process, or it is only waiting to be reaped."""
    stat = _text(f"/proc/{pid}/stat")
    if stat is None:
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None
