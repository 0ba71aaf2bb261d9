"""Import an optional package."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from runfolio.errors import MissingExtra


def need(package: str, extra: str | None = None) -> Any:
    """Import an optional package, or say how to get it.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as missing:
        raise MissingExtra(f"{package} is not installed; run: pip install 'runfolio[{extra or package}]'") from missing
