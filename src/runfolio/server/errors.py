"""Say what went wrong, as an answer: our errors and what the server itself refuses become a status and a few lines of JSON.

No answer holds a path of this machine, a traceback or SQL.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.errors import (
    AmbiguousRun,
    FilterError,
    NotFound,
    RunfolioError,
    UsageError,
)

Headers = Sequence[tuple[str, str]]


class Refused(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        kind: one word for programs.
        message: for people: what happened, which value, what to do next.
        headers: what goes out with it, `Allow` or `Retry-After`.
        facts: more for programs.
    """

    def __init__(self, status: int, kind: str, message: str, headers: Headers = (), **facts: Any) -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.headers, self.facts = status, kind, message, headers, facts

    def body(self) -> dict[str, Any]:
        """Give the object that the answer holds."""
        return {"error": {"kind": self.kind, "message": self.message, **self.facts}}


def nonsense(message: str, **facts: Any) -> Refused:
    """Refuse what makes no sense: 400."""
    return Refused(400, "UsageError", message, **facts)


def nothing_there(message: str) -> Refused:
    """Say that there is none: 404."""
    return Refused(404, "NotFound", message)


def refusal_of(error: Exception, paths: Mapping[str, str]) -> Refused:
    """Turn any error into what is answered.

    Args:
        paths: what must not be told, and what is said instead: the folders of the stores, and their names.
    """
    if isinstance(error, Refused):
        return error
    if isinstance(error, FilterError):
        return Refused(400, "FilterError", error.reason, column=error.column + 1)
    if isinstance(error, OSError) and not isinstance(error, RunfolioError):
        return _of_the_disk(error)
    if not isinstance(error, RunfolioError):
        return Refused(
            500, "Mistake", f"a mistake of ours ({type(error).__name__}); the server's own output says where"
        )
    message = _without(str(error), paths)
    kind = type(error).__name__
    if isinstance(error, AmbiguousRun):
        return Refused(400, kind, message, near=error.candidates[:10])
    if isinstance(error, NotFound):
        return Refused(404, kind, message)
    if isinstance(error, UsageError | LookupError):
        return Refused(400, kind, message)
    return Refused(409, kind, message)


def _of_the_disk(error: OSError) -> Refused:
    """Tell trouble with the disk, without the path."""
    words = os.strerror(error.errno) if error.errno else type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refused(507, "Disk", f"{words}: nothing can be written; free some space and try again")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Refused(404, "Disk", f"{words}: it is no longer there")
    return Refused(409, "Disk", f"the disk says: {words}")


def _without(message: str, paths: Mapping[str, str]) -> str:
    """Take the paths of this machine out of a message."""
    for path in sorted(paths, key=len, reverse=True):
        message = message.replace(path, paths[path])
    return message
