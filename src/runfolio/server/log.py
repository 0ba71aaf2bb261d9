"""One line of JSON for each request that is refused, on standard error; nothing in it can break a line or steer a terminal."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

LOG = logging.getLogger("runfolio.server")
_VALUE_MAX = 300
_DAILY = ("FilterError", "Opening", "RunNotFound")
"""What the app meets every day, as while a filter is typed: told on the level INFO, which a terminal does not show."""


def refused(status: int, kind: str, scope: dict[str, Any], message: str) -> None:
    """Log a request that was refused."""
    LOG.log(
        logging.INFO if kind in _DAILY else logging.WARNING,
        "%s",
        line(
            status=status,
            kind=kind,
            method=scope.get("method", ""),
            path=scope.get("raw_path", b"").decode("latin-1"),
            client=(scope.get("client") or ("",))[0],
            message=message,
        ),
    )


def line(**facts: object) -> str:
    """Write facts as one line: JSON in ASCII, so that control characters and marks of direction stand as escapes."""
    cut = {key: value[:_VALUE_MAX] if isinstance(value, str) else value for key, value in facts.items()}
    return json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **cut}).replace("\x7f", "\\u007f")
