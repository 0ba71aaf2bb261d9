"""Find many runs by their ids at once: `Store.run` looks at the disk for each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from runfolio.errors import AmbiguousRun, RunNotFound
from runfolio.model.ids import is_id, short

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store
    from runfolio.store.cache import Cache

_AT_ONCE = 500
_BY_PREFIX = "SELECT id FROM runs WHERE id >= ? AND id < ? LIMIT 3"


def runs_named(store: Store, refs: Iterable[str]) -> list[Run]:
    """Give the runs of these ids, or beginnings of ids, in their order and each once; one that is gone is left out where others are left.

    Raises:
        RunNotFound: all are gone. AmbiguousRun: several runs begin so.
    """
    store.look()
    return store.ask(lambda index: _find(store, index.cache, list(refs)))


def _find(store: Store, cache: Cache, refs: list[str]) -> list[Run]:
    ids = list(dict.fromkeys(id_ for ref in refs for id_ in _ids_of(cache, ref)))
    found: dict[str, Run] = {}
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        found.update((run.id, run) for run in store._runs_of(f"id IN ({', '.join('?' * len(some))})", some))
    runs = [found[id_] for id_ in ids if id_ in found]
    if not runs and refs:
        raise RunNotFound(f"there is no run {short(refs[0])} here any more; runfolio list shows those there are")
    return runs


def _ids_of(cache: Cache, ref: str) -> list[str]:
    """Give the id that begins so; none where there is no such run."""
    if is_id(ref):
        return [ref]
    found = [row[0] for row in cache.ask(_BY_PREFIX, (ref, ref + "g"))]
    if len(found) > 1:
        raise AmbiguousRun(f"{ref!r} fits several runs: {', '.join(found)}; give more of the id", found)
    return found
