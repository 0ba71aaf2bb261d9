"""How the runs of a store stand, in so few facts that one may ask twice a second: for what follows a store as it changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runfolio.query.store import Store
from runfolio.store import watch
from runfolio.store.run_row import from_json
from runfolio.store.summary import LAST, Number, Packed, step_of, value_of
from runfolio.store.watch import Watched


class Head(NamedTuple):
    """How a run stands; another version after each change that the index has seen."""

    version: int
    status: str
    archived: bool
    deleted: bool


class Standing(NamedTuple):
    """A run as the index knows it, with what is needed to read on from there."""

    head: Head
    folder_ns: int
    open: list[Watched]
    last_ns: int
    summaries: Packed


class Newest(NamedTuple):
    """The last point of a metric. Units: time in ns since 1970."""

    step: int | None
    value: Number
    time_ns: int


def heads(store: Store) -> dict[str, tuple[Head, int]]:
    """Look at the whole store; give how each of its runs stands, with the time of its journals' folder. Cost: a stat and a row for each run."""
    store.look()
    found = store.ask(lambda index: index.cache.ask(f"SELECT id, folder_ns, {_HEAD} FROM runs"))
    return {id_: (_head(facts), folder_ns) for id_, folder_ns, *facts in found}


def look_at(store: Store, ids: Iterable[str]) -> dict[str, Standing | None]:
    """Look at some runs only; None for one that is not there, or not yet."""
    found: dict[str, Standing | None] = {}
    for id_ in ids:
        store.look_at(id_)
        found[id_] = _standing(store, id_)
    return found


def _standing(store: Store, run_id: str) -> Standing | None:
    sql = f"SELECT {_HEAD}, folder_ns, open, last_ns, summaries FROM runs WHERE id = ?"
    found = store.ask(lambda index: index.cache.ask(sql, (run_id,)))
    if not found:
        return None
    *facts, folder_ns, open_, last_ns, summaries = found[0]
    watched = [watch.from_list(values) for values in from_json(open_ or "[]")]
    return Standing(_head(facts), folder_ns, watched, last_ns, Packed(summaries))


_HEAD = "version, status, archived, deleted"


def _head(facts: list[object]) -> Head:
    version, status, archived, deleted = facts
    assert isinstance(version, int) and isinstance(status, str)
    return Head(version, status, bool(archived), bool(deleted))


def newest_of(standing: Standing, metric: str) -> Newest | None:
    """Give the last point of a metric by the index; of several ranks the one that has come farthest. Its time is the run's last sign of life."""
    found: Newest | None = None
    for raw in standing.summaries.raw(metric):
        step = step_of(raw, LAST)
        if found is None or (found.step is not None and (step is None or step > found.step)):
            found = Newest(step, value_of(raw, LAST), standing.last_ns)
    return found


def highest_step(standing: Standing) -> int | None:
    """Give the highest step of any metric."""
    packed = standing.summaries
    steps = (step_of(packed.at(place), LAST) for place in range(len(packed.names)))
    return max((step for step in steps if step is not None), default=None)
