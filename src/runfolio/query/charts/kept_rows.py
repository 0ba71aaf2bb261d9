"""The rows of runs on a grid, kept for the next time that the same chart is asked for: only runs that changed since are read again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from runfolio.query.per_store import PerStore

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

BYTES_MAX = 9 << 20
"""Of all that is kept for a store; one table of 10,000 runs takes 8 MB."""


class _Table:
    def __init__(self, versions: dict[str, tuple[int, int]], rows: NDArray[Any]) -> None:
        self.versions = versions
        """By run: its version, and the place of its row."""
        self.rows = rows


class KeptRows:
    """Tables of rows, the one asked for longest ago is let go first.

    Contract: any thread may use it. What is kept is not written to any more.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._tables: OrderedDict[Hashable, _Table] = OrderedDict()

    def fill(self, key: Hashable, runs: list[Run], table: NDArray[Any]) -> list[int]:
        """Put into a table the rows that are known; give the places of the runs that are not. Shape of the table: (run, place)."""
        with self._lock:
            known = self._tables.get(key)
            if known is None:
                return list(range(len(runs)))
            self._tables.move_to_end(key)
        if known.rows.shape[1] != table.shape[1]:
            return list(range(len(runs)))
        here: list[int] = []
        there: list[int] = []
        missing = []
        for place, run in enumerate(runs):
            version, row = known.versions.get(run.id, (None, 0))
            if version == run._row.version:
                here.append(place)
                there.append(row)
            else:
                missing.append(place)
        table[here] = known.rows[there]
        return missing

    def keep(self, key: Hashable, places: dict[str, int], runs: list[Run], table: NDArray[Any]) -> None:
        """Keep a table: the rows of those runs whose places are given."""
        if table.nbytes > BYTES_MAX:
            return
        versions = {id_: (runs[place]._row.version, place) for id_, place in places.items()}
        with self._lock:
            self._tables[key] = _Table(versions, table)
            self._tables.move_to_end(key)
            while sum(one.rows.nbytes for one in self._tables.values()) > BYTES_MAX:
                self._tables.popitem(last=False)


def kept_rows_of(store: Store) -> KeptRows:
    """Give the rows that are kept for a store; one for each store that is open."""
    return _ALL.of(store)


_ALL = PerStore(KeptRows)
