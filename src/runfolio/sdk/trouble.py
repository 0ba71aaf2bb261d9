"""Tell the user of trouble in the background, once, without ever raising."""

from __future__ import annotations

import sys


class RunfolioWarning(UserWarning):
    """Trouble that does not stop the script: a full disk, a sink that fails."""


def tell(message: str) -> None:
    """Warn; where warnings are errors, or the interpreter is going down, print."""
    try:
        import warnings

        warnings.warn(message, RunfolioWarning, stacklevel=2)
    except Exception:
        say(message)


def say(line: str) -> None:
    """Print a line to standard error, if there is one."""
    try:
        print(f"runfolio: {line}", file=sys.stderr)
    except Exception:
        pass
