"""Capture what the script can tell of its surroundings at once.

Cost: some ten system calls and no imports; a few dozen microseconds. `platform`, `socket`, `pwd` and their kin would
cost milliseconds or ask a name server. Environment variables are not captured, but for the user's own name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection

from .fields import FIELDS
from .redact import readable, redact_command


def cheap(argv: list[str] | None = None, wanted: Collection[str] = FIELDS) -> dict[str, object]:
    """Return the fields that cost next to nothing, those that can be told here; it never raises.

    Args:
        argv: The command line; the interpreter's own by default, with the interpreter and its options.
        wanted: The fields to tell, see `fields.wanted`.
    """
    sources: dict[str, Callable[[], object]] = {
        "command": lambda: redact_command(list(sys.orig_argv if argv is None else argv)),
        "cwd": lambda: readable(os.getcwd()),
        "python": _python,
        "platform": _platform,
        "host": _host,
        "user": _user,
        "cpu": _cpu,
    }
    facts: dict[str, object] = {}
    for field, source in sources.items():
        if field in wanted:
            try:
                fact = source()
            except (OSError, ValueError, AttributeError):  # a working directory that is gone, a system without uname
                continue
            if fact:
                facts[field] = fact
    return facts


def _python() -> dict[str, str]:
    """Tell which Python runs."""
    level = sys.version_info
    return {
        "version": ".".join(map(str, level[:3])) + ("" if level[3] == "final" else f"{level[3]}{level[4]}"),
        "implementation": sys.implementation.name,
        "executable": readable(sys.executable or ""),
        "prefix": readable(sys.prefix),
    }


def _platform() -> dict[str, str]:
    """Tell which system runs."""
    if not hasattr(os, "uname"):
        return {"system": sys.platform}
    system = os.uname()
    return {"system": system.sysname, "release": system.release, "machine": system.machine}


def _host() -> str:
    """Tell the name of this machine."""
    return readable(os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", ""))


def _user() -> str:
    """Tell who runs this, without asking a directory service, which may be slow or not know the uid."""
    return readable(os.environ.get("LOGNAME") or os.environ.get("USER") or os.environ.get("USERNAME") or "")


def _cpu() -> dict[str, int]:
    """Tell how many processors there are, and how many of them this process may use."""
    count = os.cpu_count() or 0
    return {"count": count, "usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else count}
