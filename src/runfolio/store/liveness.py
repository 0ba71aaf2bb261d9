"""Judge whether a writer still lives.

On the machine where it runs: by process id, start time and boot id, at once. Elsewhere: by its heartbeat, watched with a clock of our own;
the clocks of two machines are never compared. No file's modification time is used: writes through a map do not move it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from runfolio.journal import identity

LOST_AFTER_S = 45.0

ALIVE, DEAD, UNKNOWN = "alive", "dead", "unknown"


def process_of(opening: Mapping[str, Any], last_ns: int | None = None) -> str:
    """Say whether the process that opened a journal is alive, dead or, from here, unknown.

    Args:
        last_ns: the last time in the journal. One of another boot of this machine's name is dead only where it told nothing since this
            machine has booted: two machines may share a name.
    """
    boot = opening.get("boot_id")
    pid, start = opening.get("pid"), opening.get("pid_start")
    if not isinstance(pid, int) or not isinstance(boot, str):
        return UNKNOWN
    if boot != identity.boot_id():
        same_host = opening.get("host") == identity.host() and identity.boot_id() is not None
        return DEAD if same_host and last_ns is not None and last_ns < _booted_ns() else UNKNOWN
    if opening.get("pid_ns") != identity.pid_namespace():
        return UNKNOWN
    lives = identity.lives(pid, start)
    return UNKNOWN if lives is None else ALIVE if lives else DEAD


def _booted_ns() -> int:
    """Give when this machine was booted, by its wall clock."""
    return time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Look(NamedTuple):
    """What was seen of a journal when it last moved, by the boot clock of the machine that looked."""

    end: int
    boot_id: str | None
    moved_ns: int
    first: bool  # whether it has not been seen to move yet


def look_again(before: Look | None, end: int, boot_id: str | None, now_ns: int) -> Look:
    """Take in that a journal ends at `end` now."""
    if before is None or before.boot_id != boot_id:
        return Look(end, boot_id, now_ns, True)
    if end != before.end:
        return Look(end, boot_id, now_ns, False)
    return before


def heartbeat(look: Look, now_ns: int) -> str:
    """Judge a writer of another machine: unknown at the first look, alive while it moves, dead to us (lost) 45 s after."""
    if now_ns - look.moved_ns > LOST_AFTER_S * 1e9:
        return DEAD
    return UNKNOWN if look.first else ALIVE
