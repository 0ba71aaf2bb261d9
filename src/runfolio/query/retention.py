"""Say which runs a rule of retention lets go: those that are old, have ended, and that no rule keeps."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from runfolio.errors import MetricNotFound, UsageError
from runfolio.model.names import shown
from runfolio.model.states import RUNNING
from runfolio.query.filter.times import seconds_of
from runfolio.query.no_metric import no_metric

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

FORMS = "best:N:METRIC[:min|max], latest:N, tag:KEY"


class Keep(NamedTuple):
    """One rule: what it keeps in each experiment."""

    kind: str  # best, latest, tag
    most: int = 0
    name: str = ""  # of the metric, or the tag
    goal: str | None = None


def parse_keep(text: str) -> Keep:
    """Read a rule.

    Raises:
        UsageError: it is none.
    """
    kind, _, rest = text.partition(":")
    parts = rest.split(":")
    if kind == "best" and len(parts) >= 2 and parts[0].isdecimal():
        goal = parts.pop() if len(parts) > 2 and parts[-1] in ("min", "max") else None
        return Keep("best", int(parts[0]), ":".join(parts[1:]), goal)
    if kind == "latest" and len(parts) == 1 and parts[0].isdecimal():
        return Keep("latest", int(parts[0]))
    if kind == "tag" and rest:
        return Keep("tag", name=rest)
    raise UsageError(f"--keep takes {FORMS}; not {text!r}")


def let_go(store: Store, keeps: Sequence[Keep], older: str | None, runs: Iterable[Run]) -> list[Run]:
    """Give the runs that may go, the oldest first.

    Args:
        older: as "30d": only runs that ended longer ago.

    Raises:
        UsageError: no duration; a best without a goal. MetricNotFound: none of the runs has the metric of a best.
    """
    before_s = None if older is None else seconds_of(older, time.time())
    if older is not None and before_s is None:
        raise UsageError(f"--older takes a duration as 30d or '2 weeks', or a date; not {older!r}")
    runs = list(runs)
    kept: set[str] = set()
    by_experiment: dict[str | None, list[Run]] = {}
    for run in runs:
        by_experiment.setdefault(run.experiment, []).append(run)
    for keep in [_settled(keep, runs) for keep in keeps]:
        for members in by_experiment.values():
            kept.update(run.id for run in _kept(store, keep, members))
    going = [run for run in runs if run.id not in kept and _has_ended(run, before_s)]
    return sorted(going, key=lambda run: run._row.created_ns)


def _settled(keep: Keep, runs: list[Run]) -> Keep:
    """Fill in the goal that the runs declare: a rule that keeps nothing for a slip of the pen would let all runs go.

    Raises:
        MetricNotFound: none of the runs has the metric. UsageError: they declare no goal, or both.
    """
    if keep.kind != "best" or not runs:
        return keep
    having = [run for run in runs if keep.name in run.metrics]
    if not having:
        raise MetricNotFound(no_metric(keep.name, runs))
    goals = {run.goals[keep.name] for run in having if keep.name in run.goals}
    if keep.goal is None and len(goals) != 1:
        why = "its runs declare both" if goals else "no run declares its goal"
        raise UsageError(
            f"is {shown(keep.name)} better low or high? {why}; say best:{keep.most}:{keep.name}:min or ...:max"
        )
    return keep if keep.goal else keep._replace(goal=goals.pop())


def _kept(store: Store, keep: Keep, runs: list[Run]) -> list[Run]:
    if keep.kind == "tag":
        key, _, value = keep.name.partition("=")
        return [run for run in runs if key in run.tags and (not value or run.tags[key] == value)]
    if keep.kind == "latest":
        return sorted(runs, key=lambda run: -run._row.created_ns)[: keep.most]
    having = [run for run in runs if keep.name in run.metrics]
    return [run for run, _ in store.ranking(keep.name, keep.goal, runs=having)[: keep.most]] if having else []


def _has_ended(run: Run, before_s: float | None) -> bool:
    if run.status == RUNNING:
        return False
    ended_ns = run._row.ended_ns if run._row.ended_ns is not None else run._row.last_ns
    return before_s is None or ended_ns / 1e9 < before_s
