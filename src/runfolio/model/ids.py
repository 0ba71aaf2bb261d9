"""The ids of runs and writers: 32 random lower-case hex digits."""

from __future__ import annotations

import os
from typing import NewType

RunId = NewType("RunId", str)

_HEX = "0123456789abcdef"


def new_id() -> str:
    """Make a fresh id of 128 random bits."""
    return os.urandom(16).hex()


def is_id(text: object) -> bool:
    """Say whether `text` is a whole id: 32 lower-case hex digits and nothing else."""
    return isinstance(text, str) and len(text) == 32 and not text.strip(_HEX)


def short(id: str) -> str:
    """Cut an id to the first 8 digits, the form that people read and type."""
    return id[:8]
