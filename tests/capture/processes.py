"""Tell whether other processes run."""

from __future__ import annotations

from pathlib import Path


def is_gone(pid: int) -> bool:
    """Say whether a process has ended; one that nobody has reaped yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
