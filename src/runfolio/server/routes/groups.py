"""Which setting is really better: groups over seeds, and a verdict for each pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import Meta

from runfolio.errors import NotFound
from runfolio.query.packed import whole
from runfolio.query.run import Run
from runfolio.query.store import Store
from runfolio.query.survey.census import census_of
from runfolio.query.survey.objective import goal_by_name, objective_of
from runfolio.server import limits
from runfolio.server.answers import Answer, as_json
from runfolio.server.asked import Chosen, Name
from runfolio.server.routing import STORE, Call, Route
from runfolio.server.served import chosen

Params = Annotated[tuple[Name, ...], Meta(max_length=limits.COLUMNS_MAX)]


class GroupsAsked(Chosen, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which runs, by which metric (default: the objective), grouped how; as `runfolio stats` takes it. A goal that none declares the name tells."""

    metric: Name | None = None
    by: Params = ()
    over: Params = ()
    goal: Literal["min", "max"] | None = None
    at: Annotated[str, Meta(pattern=r"^(last|best|first|min|max|mean|median|auc|-?[0-9]{1,18})$")] = "last"


async def statistics(call: Call[GroupsAsked, None]) -> Answer:
    """Give groups with their intervals and verdicts."""
    return await call.ask(lambda store: as_json(_facts(store, call.asked)))


def _facts(store: Store, asked: GroupsAsked) -> dict[str, Any]:
    from runfolio.query.groups import groups  # scipy, which takes 27 MB: only where it is asked for
    from runfolio.query.groups_facts import groups_facts

    at = int(asked.at) if asked.at.lstrip("-").isdecimal() else asked.at
    light = chosen(store, asked)
    runs = whole(store, light)
    metric = asked.metric if asked.metric is not None else _objective(store, light)
    goal = asked.goal or (None if any(metric in run.goals for run in runs) else goal_by_name(metric))
    by, over = (_plain(names, runs) for names in (asked.by, asked.over))
    found = groups(runs, metric, by, over, goal, at)
    facts = groups_facts(found)
    for told, group in zip(facts["groups"], found.groups, strict=True):
        seeds = [_seed(run.flat_params, found.over) for run in group.runs]
        told["runs"] = [
            {"id": run.id, "value": value, "seed": seed}
            for run, value, seed in zip(group.runs, told["values"], seeds, strict=True)
        ]
    return facts


def _objective(store: Store, runs: Sequence[Run]) -> str:
    """Give the metric that the overview of these runs has as its objective."""
    found = objective_of(census_of(store).of(runs))
    if found is None:
        raise NotFound("none of these runs has a metric" if runs else "there is no run to group")
    return found.metric


def _plain(names: Sequence[str], runs: Sequence[Run]) -> list[str] | None:
    """Give params as the store knows them: they may be told with the prefix of filters and columns."""
    return [name if _has(runs, name) else name.removeprefix("params.") for name in names] or None


def _has(runs: Sequence[Run], name: str) -> bool:
    return not name.startswith("params.") or any(name in run.flat_params for run in runs)


def _seed(params: dict[str, Any], over: Sequence[str]) -> Any:
    """Give what a run has for `over`: of several params a list."""
    values = [params.get(key) for key in over]
    return values[0] if len(values) == 1 else values or None


ROUTES = [
    Route(
        "GET", f"{STORE}/groups", statistics, "groups over seeds, and verdicts", asked=GroupsAsked, gives=dict[str, Any]
    ),
]
