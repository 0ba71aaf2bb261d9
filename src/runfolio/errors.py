"""The errors that runfolio raises.

    RunfolioError
    ├── UsageError (ValueError)            the call itself is wrong
    │   ├── InvalidValue (TypeError)       a value that a metric, param or name cannot carry
    │   ├── FilterError                    a filter that cannot be understood, and where
    │   └── ParamConflict                  a param is set already, to another value
    ├── NotFound (LookupError)
    │   ├── RunNotFound
    │   ├── MetricNotFound (KeyError)
    │   └── StoreNotFound
    ├── AmbiguousRun (LookupError)         a prefix or name that fits several runs
    ├── RankRequired (LookupError)         a series of several ranks, asked for without one
    ├── RunIsLive                          a run that is still being written
    ├── RunIsClosed                        a write to a handle after its finish
    ├── Unreadable                         a store or journal that cannot be read: newer format, foreign folder, damage
    └── MissingExtra (ImportError)         an optional package is not installed

Facts are attributes; the message says what happened, which value, and what to do next.
"""

from __future__ import annotations


class RunfolioError(Exception):
    """Base of all errors of runfolio."""


class UsageError(RunfolioError, ValueError):
    """The call itself is wrong."""


class InvalidValue(UsageError, TypeError):
    """A value that a metric, param, tag or name cannot carry. `key` names it."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class FilterError(UsageError):
    """A filter that cannot be understood. `text` is the filter, `column` where it goes wrong, from 0."""

    def __init__(self, reason: str, text: str, column: int) -> None:
        line = text.replace("\n", " ").replace("\t", " ").replace("\r", " ")
        begin = max(0, column - 60)
        super().__init__(f"{reason}\n  {line[begin : begin + 100]}\n  {' ' * (column - begin)}^")
        self.reason, self.text, self.column = reason, text, column


class ParamConflict(UsageError):
    """A param is set already, to another value."""

    def __init__(self, message: str, key: str, have: object, got: object) -> None:
        super().__init__(message)
        self.key, self.have, self.got = key, have, got


class NotFound(RunfolioError, LookupError):
    """Something that was asked for by name does not exist."""


class RunNotFound(NotFound):
    """No run answers to this id, prefix, name or alias."""


class MetricNotFound(NotFound, KeyError):
    """The run has no metric of this name."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class StoreNotFound(NotFound):
    """There is no store at this place."""


class AmbiguousRun(RunfolioError, LookupError):
    """A prefix or name fits several runs; `candidates` are their ids."""

    def __init__(self, message: str, candidates: list[str]) -> None:
        super().__init__(message)
        self.candidates = candidates


class RankRequired(RunfolioError, LookupError):
    """A series has several ranks and none was asked for; `ranks` are those there are."""

    def __init__(self, message: str, ranks: list[int | None]) -> None:
        super().__init__(message)
        self.ranks = ranks


class RunIsLive(RunfolioError):
    """A run that is still being written cannot be resumed or removed."""


class RunIsClosed(RunfolioError):
    """A write to a handle after its `finish()`."""


class Unreadable(RunfolioError):
    """A store or journal that cannot be read: of a newer format, a foreign folder, damage."""


class MissingExtra(RunfolioError, ImportError):
    """An optional package is not installed; the message has the install line."""
