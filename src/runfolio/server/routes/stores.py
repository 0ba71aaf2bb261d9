"""Which stores are served, and which names their runs have used."""

from __future__ import annotations

from msgspec import Struct

from runfolio._version import __version__
from runfolio.errors import RunfolioError
from runfolio.model.states import RUNNING
from runfolio.query.packed import packed
from runfolio.query.store import Store
from runfolio.query.survey.census import census_of
from runfolio.query.survey.objective import objective_of
from runfolio.server.answers import Answer, as_json
from runfolio.server.asked import Asked
from runfolio.server.errors import Refused, refusal_of
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.served import Served
from runfolio.store.run_row import from_json


class Standing(Struct, frozen=True):
    """A store, as the first page shows it. `problem` says in words why it cannot be shown; `reading` how far it is while it is read first."""

    name: str
    id: str | None = None
    runs: int | None = None
    running: int | None = None
    writable: bool = False
    problem: str | None = None
    reading: tuple[int, int] | None = None


class Stores(Struct, frozen=True):
    """The stores that are served."""

    stores: list[Standing]
    version: str


class ExperimentFacts(Struct, frozen=True):
    """A named set of runs."""

    name: str
    runs: int
    running: int


class Names(Struct, frozen=True):
    """The names that runs of a store have used, those of each family sorted."""

    params: list[str]
    metrics: list[str]
    summary: list[str]
    tags: list[str]
    goals: dict[str, str]
    experiments: list[ExperimentFacts]
    objective: str | None


async def stores(call: Call[Asked, None]) -> Answer:
    """Tell of each store, also of one that cannot be opened."""
    found = [await _standing(served) for served in call.all.values()]
    return as_json(Stores(found, __version__))


async def _standing(served: Served) -> Standing:
    try:
        id_, runs, running = await served.ask(_counts)
    except (Refused, RunfolioError, OSError) as error:
        refusal = refusal_of(error, {served.layout.root: served.name})
        if refusal.kind == "Opening":
            return Standing(served.name, reading=served.reading or (0, 0))
        return Standing(served.name, problem=refusal.message)
    return Standing(served.name, id_, runs, running, served.writable)


def _counts(store: Store) -> tuple[str, int, int]:
    runs = store.runs()
    return store.id, len(runs), sum(run.status == RUNNING for run in runs)


async def names(call: Call[Asked, None]) -> Answer:
    """Give the names that runs of the store have used."""
    return as_json(await call.ask(_names))


def _names(store: Store) -> Names:
    known = store.names()
    goals = _goals(store, set(known["goals"]))
    objective = objective_of(census_of(store).of(store.runs()))
    return Names(
        **{family: sorted(known[family]) for family in ("params", "metrics", "summary", "tags")},
        goals=goals,
        experiments=[ExperimentFacts(one.name, one.runs, one.running) for one in store.experiments()],
        objective=objective.metric if objective else None,
    )


def _goals(store: Store, wanted: set[str]) -> dict[str, str]:
    """Give the goals that were declared, of each metric the newest run's; no more runs are looked into than need be."""
    goals: dict[str, str] = {}
    for more in packed(store.runs(), "more") if wanted else ():
        told = from_json(more)["goals"] if more else {}
        goals.update((name, goal) for name, goal in told.items() if name not in goals)
        if goals.keys() >= wanted:
            break
    return goals


ROUTES = [
    Route("GET", "/api/v1/stores", stores, "the stores that are served", gives=Stores),
    Route("GET", f"{STORE}/names", names, "the names that runs of a store have used", gives=Names),
]
