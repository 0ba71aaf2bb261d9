"""Give memory that is free within the process back to the system.

Behind a chart of a million points glibc keeps 30 MB for the next one, in pieces that nothing else fits into.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any


def give_back() -> None:
    """Give back what is free: 4 ms. Elsewhere than on glibc nothing happens."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
