"""Keep something beside each open store, for as long as it is open."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from runfolio.query.store import Store

T = TypeVar("T")


class PerStore(Generic[T]):
    """One thing for each store, made when it is first asked for.

    Contract: any thread may ask.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._all: WeakKeyDictionary[Store, T] = WeakKeyDictionary()
        self._lock = Lock()

    def of(self, store: Store) -> T:
        with self._lock:
            found = self._all.get(store)
            if found is None:
                found = self._all[store] = self._make()
            return found
