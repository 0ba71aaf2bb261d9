"""How large a fault test is: the short form in `make test`, larger in `make test-long`, the full numbers in `make soak`."""

from __future__ import annotations

import os
from typing import Any

import pytest

SOAK = bool(os.environ.get("RUNFOLIO_SOAK"))


def times(*, short: Any, long: Any, soak: Any) -> list[Any]:
    """Give the parameters of a test in its short and its long form."""
    return [short, pytest.param(soak if SOAK else long, marks=pytest.mark.long, id="soak" if SOAK else "long")]
