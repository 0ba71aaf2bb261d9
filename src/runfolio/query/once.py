"""Compute an attribute when it is first asked for. As `functools.cached_property`, without the lock that it takes before Python 3.12."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class once(Generic[T]):  # written as a decorator
    """Keep what a method returns as an attribute of the object. Two threads at once may both compute it."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, obj: Any, owner: type) -> T:
        if obj is None:
            return self  # type: ignore[return-value]
        value = obj.__dict__[self._name] = self._compute(obj)
        return value
