"""The states of a run."""

from __future__ import annotations

RUNNING = "running"
FINISHED = "finished"
FAILED = "failed"
KILLED = "killed"
LOST = "lost"
STAGED = "staged"
CANCELLED = "cancelled"

ALL = (RUNNING, FINISHED, FAILED, KILLED, LOST, STAGED, CANCELLED)

_OVER = frozenset((FINISHED, FAILED, KILLED, CANCELLED))


def is_over(status: str) -> bool:
    """Say whether a run of this status has ended for good. A lost run has not: its heartbeat may come back."""
    return status in _OVER
