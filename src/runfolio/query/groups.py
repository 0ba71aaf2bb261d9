"""Groups of runs that are equal but for the seed, and which of them is really better."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from runfolio.errors import NotFound, UsageError
from runfolio.model.names import shown
from runfolio.model.states import FINISHED, RUNNING
from runfolio.query import aggregate
from runfolio.query.circumstances import is_seed
from runfolio.query.no_metric import no_metric
from runfolio.query.param_key import param_key
from runfolio.query.statistics.describe import Description, describe
from runfolio.query.statistics.pairs import Pair, Sample, compare_all
from runfolio.query.statistics.values import AWAY

if TYPE_CHECKING:
    from runfolio.query.run import Run

GOALS = ("min", "max")
OF_SUMMARY, OF_SERIES = ("last", "first", "min", "max", "mean"), ("median", "auc")
AGGREGATES = ("best", *OF_SUMMARY, *OF_SERIES)
At = str | int | Callable[["Run"], float | None]


@dataclass(frozen=True)
class Group:
    """Runs with equal params but for the seed."""

    params: dict[str, Any]
    """What its runs have in common, of the params that groups are made by; one that they all lack is missing here."""
    runs: list[Run]
    """Those whose values count, newest first."""
    seeds: list[tuple[Any, ...]] | None
    """For each of them what it has for `over`; None where that is not known."""
    description: Description


@dataclass
class Groups:
    """Groups of runs by one metric, the best first, and a verdict for each pair: for each with the best where they are many."""

    metric: str
    goal: str
    at: str
    by: list[str]
    over: list[str]
    """The params of the seed."""
    over_found: bool = False
    """Whether they were found, and not told."""
    inside: list[str] = field(default_factory=list)
    """Other params that vary inside groups: then the groups are not of one setting each."""
    groups: list[Group] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    comparisons: int = 1
    uncompared: int = 0
    left_out: dict[str, list[Run]] = field(default_factory=dict)
    """Runs that do not count, by the reason: "running", "no value", "NaN", "infinite", "repeated"."""
    told: dict[str, list[Run]] = field(default_factory=dict)
    """Runs that count, but about which one should know: "unfinished", "several ranks"."""

    def __iter__(self) -> Iterator[Group]:
        return iter(self.groups)

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, place: int) -> Group:
        return self.groups[place]

    @property
    def varying(self) -> list[str]:
        """The params by which the groups differ."""
        return [key for key in self.by if len({_frozen(group.params.get(key, _MISSING)) for group in self.groups}) > 1]

    @property
    def over_words(self) -> str:
        """Say what a group is taken over."""
        if self.over and self.over_found:
            return f"the params that vary inside are {', '.join(self.over)}"
        return f"over {', '.join(self.over)}" if self.over else "no param varies inside"

    def _repr_html_(self) -> str:
        """Show the groups as a table in a notebook, and the verdicts as a list."""
        from runfolio.query.groups_html import groups_html

        return groups_html(self)

    def __repr__(self) -> str:
        return f"<Groups of {self.metric} by {', '.join(self.by) or 'nothing'}: {len(self.groups)} groups>"


_MISSING = object()


def groups(
    runs: Iterable[Run],
    metric: str,
    by: str | Sequence[str] | None = None,
    over: str | Sequence[str] | None = None,
    goal: str | None = None,
    at: At = "last",
) -> Groups:
    """Group runs, describe the groups and compare them.

    Args:
        by: the params that make a group; default: all of them but `over`.
        over: the param of the seed, or several; default: those named seed, rng or the like that vary. Where none is, and
            `by` is told: what else varies inside the groups.
        goal: "min" or "max"; default: the one declared for the metric.
        at: the number of a run: last, best, first, min, max, mean, median, auc, a step, or a function of the run.

    Raises:
        NotFound: no run has the metric or the param. UsageError: no goal.
    """
    listed = list(runs)
    if not any(metric in run.metrics for run in listed):
        raise NotFound(
            no_metric(metric, listed) if listed else "there is no run to group; runfolio list shows what there is"
        )
    goal = _goal(metric, listed) if goal is None else goal
    if goal not in GOALS:
        raise UsageError(f"goal must be 'min' or 'max', not {shown(goal)}")
    value_of = _reader(metric, goal, at)
    having = [run for run in listed if metric in run.metrics]
    varying = _varying(having)
    told = _told(by, over, listed)
    found = Groups(metric, goal, at if isinstance(at, str) else f"step {at}" if isinstance(at, int) else "told", *told)
    if over is None:
        found.over = [key for key in varying if key not in found.by and is_seed(key)]
        found.over_found = True
    if by is None:
        found.by = [key for key in _keys(having) if key not in found.over]
    gathered = _gather(listed, found.by)
    found.inside = [key for key in _inside(_gather(having, found.by)) if key not in found.over]
    if over is None and not found.over and by is not None:
        found.over, found.inside = found.inside, []
    made = [(_group(found, members, value_of), members) for members in gathered]
    found.groups = [group for group, members in made if _is_asked(found, members, by is not None)]
    sign = 1 if goal == "min" else -1
    found.groups.sort(key=lambda one: (not one.description.n, sign * one.description.centre))
    _compare(found)
    return found


def _compare(found: Groups) -> None:
    samples = [Sample(group.description.values, group.seeds) for group in found.groups]
    found.pairs, found.comparisons, found.uncompared = compare_all(samples, found.goal)


def _told(
    by: str | Sequence[str] | None, over: str | Sequence[str] | None, runs: list[Run]
) -> tuple[list[str], list[str]]:
    keys = _keys(runs)
    by_keys, over_keys = ([param_key(name, keys) for name in _listed(names)] for names in (by, over))
    both = next((key for key in by_keys if key in over_keys), None)
    if both:
        raise UsageError(f"the param {shown(both)} cannot make the groups and vary inside them; leave it out of one")
    return by_keys, over_keys


def _listed(names: str | Sequence[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(dict.fromkeys(names or ()))


def _keys(runs: list[Run]) -> list[str]:
    return list(dict.fromkeys(key for run in runs for key in run.flat_params))


def _goal(metric: str, runs: list[Run]) -> str:
    goals = {run.goals[metric] for run in runs if metric in run.goals}
    if len(goals) == 1:
        return goals.pop()
    why = "its runs declare both" if goals else "no run declares its goal"
    raise UsageError(f"is {shown(metric)} better low or high? {why}; pass goal 'min' or 'max'")


def _frozen(value: Any) -> tuple[str, str] | None:
    """Give what tells values apart as `model.params.same` does: 1, 1.0 and True differ."""
    return None if value is _MISSING else (type(value).__name__, repr(value))


def _varying(runs: list[Run]) -> list[str]:
    """Give the params that are not the same in all of the runs."""
    flats = [run.flat_params for run in runs]
    return [key for key in _keys(runs) if len({_frozen(flat.get(key, _MISSING)) for flat in flats}) > 1]


def _gather(runs: list[Run], by: list[str]) -> list[list[Run]]:
    gathered: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        flat = run.flat_params
        gathered.setdefault(tuple(_frozen(flat.get(key, _MISSING)) for key in by), []).append(run)
    return list(gathered.values())


def _is_asked(found: Groups, members: list[Run], told: bool) -> bool:
    """Say whether a group is one of those asked for: another experiment's runs, which never log the metric, make none.

    One whose runs all ended before they had logged it does, where the params that make the groups were told and it has any.
    """
    if any(found.metric in run.metrics for run in members):
        return True
    return told and any(key in members[0].flat_params for key in found.by)


def _inside(gathered: list[list[Run]]) -> list[str]:
    return list(dict.fromkeys(key for members in gathered if len(members) > 1 for key in _varying(members)))


def _group(found: Groups, members: list[Run], value_of: Callable[[Run], float | None]) -> Group:
    """Make a group of those runs that have something to say; the others are counted and named."""
    kept: list[Run] = []
    values: list[float] = []
    seen: set[tuple[Any, ...]] = set()
    spoilt = {"NaN": 0, "infinite": 0}
    for run in members:
        what = tuple(sorted((key, _frozen(value)) for key, value in run.flat_params.items()))
        value = None if run.status == RUNNING else value_of(run)
        reason = _reason(run, value, found.over and what in seen)
        if reason:
            found.left_out.setdefault(reason, []).append(run)
            if reason in spoilt:
                spoilt[reason] += 1
                seen.add(what)
            continue
        assert value is not None
        seen.add(what)
        kept.append(run)
        values.append(float(value))
        _tell(found, run)
    first = members[0].flat_params
    described = describe(np.array(values), found.goal)
    described = Description(**{**vars(described), "nans": spoilt["NaN"], "infinite": spoilt["infinite"]})
    return Group({key: first[key] for key in found.by if key in first}, kept, _seeds(kept, found.over), described)


def _reason(run: Run, value: float | None, is_repeated: object) -> str | None:
    """Say why a run does not count. A second run with all params the same, the seed too, is no second draw."""
    if run.status == RUNNING:
        return "running"
    if value is None:
        return "no value"
    if is_repeated:
        return "repeated"
    if value != value:
        return "NaN"
    return None if abs(value) < AWAY else "infinite"


def _tell(found: Groups, run: Run) -> None:
    if run.status != FINISHED:
        found.told.setdefault("unfinished", []).append(run)
    if found.metric in run.metrics and len(run.metrics.ranks(found.metric)) > 1:
        found.told.setdefault("several ranks", []).append(run)


def _seeds(runs: list[Run], over: list[str]) -> list[tuple[Any, ...]] | None:
    if not over:
        return None
    return [tuple(_frozen(run.flat_params.get(key, _MISSING)) for key in over) for run in runs]


# ----------------------------------------------------------------------------------------------- the number of a run


def _reader(metric: str, goal: str, at: At) -> Callable[[Run], float | None]:
    if callable(at):
        return at
    if isinstance(at, int):
        return lambda run: _of_series(run, metric, "at", at)
    if at in OF_SERIES:
        return lambda run: _of_series(run, metric, at, None)
    if at not in AGGREGATES:
        raise UsageError(f"at must be a step or one of {', '.join(AGGREGATES)}, not {shown(at)}")
    which = goal if at == "best" else at
    return lambda run: _of_summary(run, metric, which)


def _of_summary(run: Run, metric: str, which: str) -> float | None:
    """Give a number of a run; the mean of its ranks where it has several."""
    if metric not in run.metrics:
        return None
    ranks = run.metrics.ranks(metric)
    return float(sum(getattr(run.metrics.rank(metric, rank), which) for rank in ranks)) / len(ranks)


def _of_series(run: Run, metric: str, which: str, step: int | None) -> float | None:
    if metric not in run.metrics:
        return None
    rank = "mean" if len(run.metrics.ranks(metric)) > 1 else None
    return aggregate.number_of(run.series(metric, rank), which, step)
