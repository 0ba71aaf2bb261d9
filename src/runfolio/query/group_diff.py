"""What is not the same between all runs of A and all runs of B, and what varies inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from runfolio.errors import UsageError
from runfolio.model.states import RUNNING
from runfolio.query.circumstances import SECTIONS, Facts, Sections, circumstances
from runfolio.query.run import Run
from runfolio.query.series import Series
from runfolio.query.statistics.describe import Interval
from runfolio.query.statistics.difference import compare
from runfolio.query.statistics.values import LEAST, Values

Counted = list[tuple[Any, int]]
MISSING = object()


class Spread(NamedTuple):
    """The values of one fact in both groups, each with how many runs have it; `MISSING` stands for none."""

    key: str
    a: Counted
    b: Counted


class MetricSpread(NamedTuple):
    """The last values of a metric in both groups; NaN and infinities are left out."""

    name: str
    goal: str | None
    a: Values
    b: Values
    difference: float | None
    """Of the means, B minus A; None where a group has no value."""
    interval: Interval | None
    """Of the difference, at 95 %; None where a group has less than three values, or none varies."""
    apart_from: int | None
    """The step from which on, to the last common one, every run of A lies on one side of every run of B."""


@dataclass
class GroupDiff:
    """What is not the same between two groups of runs."""

    a: list[Run]
    b: list[Run]
    between: dict[str, list[Spread]] = field(default_factory=dict)
    """By section: the facts whose value in any run of A is that of no run of B."""
    inside: dict[str, list[Spread]] = field(default_factory=dict)
    """By section: the other facts that are not the same in all runs."""
    unknown: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The sections of which runs have captured nothing, and how many runs of A and of B."""
    metrics: list[MetricSpread] = field(default_factory=list)
    both: int = 0
    """How many runs are in A and in B."""

    def words(self) -> list[str]:
        """Say in sentences what came out."""
        between = [spread.key for spreads in self.between.values() for spread in spreads]
        inside = [spread.key for spreads in self.inside.values() for spread in spreads]
        told = [f"Between all of A ({len(self.a)}) and all of B ({len(self.b)}) differ: {_named(between)}."]
        if not between:
            told = [f"Nothing differs between all of A ({len(self.a)}) and all of B ({len(self.b)})."]
        if inside:
            told.append(f"Varies inside: {_named(inside)}.")
        if self.both:
            told.append(f"{_runs(self.both)} in both groups, so A and B are not two groups.")
        for section, counts in self.unknown.items():
            told.append(f"{section.capitalize()} not known of {counts[0]} in A and {counts[1]} in B.")
        running = sum(run.status == RUNNING for run in {*self.a, *self.b})
        return [*told, f"{_runs(running)} still running."] if running else told

    def __str__(self) -> str:
        return " ".join(self.words())

    def __repr__(self) -> str:
        return f"<GroupDiff: {self}>"


def group_diff(a: Sequence[Run], b: Sequence[Run]) -> GroupDiff:
    """Say what is not the same between all runs of A and all runs of B.

    Raises:
        UsageError: a group without runs.
    """
    found = GroupDiff(list(a), list(b))
    for name, runs in (("A", found.a), ("B", found.b)):
        if not runs:
            raise UsageError(f"group {name} has no runs; runfolio list --filter shows what a filter fits")
    found.both = len({run.id for run in a} & {run.id for run in b})
    facts_a, facts_b = [circumstances(run) for run in found.a], [circumstances(run) for run in found.b]
    for section in SECTIONS:
        _sort(found, section, facts_a, facts_b)
    found.metrics = list(_metrics(found.a, found.b))
    return found


def _sort(found: GroupDiff, section: str, facts_a: list[Sections], facts_b: list[Sections]) -> None:
    """Sort the facts of a section: between the groups, inside of them, or the same everywhere."""
    known_a, known_b = _known(section, facts_a), _known(section, facts_b)
    gone = (len(facts_a) - len(known_a), len(facts_b) - len(known_b))
    if any(gone):
        found.unknown[section] = gone
    if not known_a or not known_b:
        return
    for key in dict.fromkeys(key for facts in (*known_a, *known_b) for key in facts):
        spread = Spread(key, _counted(key, known_a), _counted(key, known_b))
        in_a, in_b = ({_frozen(value) for value, _ in counted} for counted in (spread.a, spread.b))
        if not in_a & in_b:
            found.between.setdefault(section, []).append(spread)
        elif len(in_a | in_b) > 1:
            found.inside.setdefault(section, []).append(spread)


def _known(section: str, sections: list[Sections]) -> list[Facts]:
    return [facts for one in sections if (facts := one[section]) is not None]


def _counted(key: str, known: list[Facts]) -> Counted:
    """Count the values of a fact, the most frequent first."""
    counts: dict[tuple[str, str], tuple[Any, int]] = {}
    for facts in known:
        value = facts.get(key, MISSING)
        frozen = _frozen(value)
        counts[frozen] = (value, counts.get(frozen, (None, 0))[1] + 1)
    return sorted(counts.values(), key=lambda pair: -pair[1])


def _frozen(value: Any) -> tuple[str, str]:
    """Give what tells values apart: 1, 1.0 and True differ."""
    return ("", "") if value is MISSING else (type(value).__name__, repr(value))


def _named(keys: Sequence[str], most: int = 5) -> str:
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    return f"{', '.join(keys[:most])}{more}"


def _runs(number: int) -> str:
    return "1 run is" if number == 1 else f"{number} runs are"


# ------------------------------------------------------------------------------------------------------- the metrics


def _metrics(a: list[Run], b: list[Run]) -> Iterator[MetricSpread]:
    names = dict.fromkeys(name for run in (*a, *b) for name in run.metrics)
    for name in names:
        goals = {run.goals[name] for run in (*a, *b) if name in run.goals}
        series = [[one for run in runs if (one := _series(run, name)) is not None] for runs in (a, b)]
        last_a, last_b = (_last(of) for of in series)
        told = compare(last_b, last_a)
        interval = told.interval if min(len(last_a), len(last_b)) >= LEAST else None
        goal = goals.pop() if len(goals) == 1 else None
        yield MetricSpread(name, goal, last_a, last_b, told.value, interval, _apart_from(*series))


def _series(run: Run, name: str) -> Series | None:
    if name not in run.metrics:
        return None
    found = run.series(name, "mean" if len(run.metrics.ranks(name)) > 1 else None)
    return found if len(found) else None


def _last(series: list[Series]) -> Values:
    values = np.array([one.values[-1] for one in series], np.float64)
    return values[np.isfinite(values)]


def _apart_from(a: list[Series], b: list[Series]) -> int | None:
    """Find from where on the curves of A and of B do not touch any more, over the steps that all of them have."""
    if not a or not b:
        return None
    steps = reduce(np.intersect1d, [one.steps[~one.final] for one in (*a, *b)])
    if not len(steps):
        return None
    rows_a, rows_b = (np.array([_at(one, steps) for one in of]) for of in (a, b))
    below = rows_a.max(axis=0) < rows_b.min(axis=0)
    above = rows_a.min(axis=0) > rows_b.max(axis=0)
    begins = [_begin(side) for side in (below, above)]
    first = min((at for at in begins if at is not None), default=None)
    return None if first is None else int(steps[first])


def _at(series: Series, steps: Any) -> Values:
    known = ~series.final
    values: Values = series.values[known][np.searchsorted(series.steps[known], steps)]
    return values


def _begin(side: Any) -> int | None:
    """Give the place from which on all is true; None where the last is not."""
    if not side[-1]:
        return None
    false = np.flatnonzero(~side)
    return int(false[-1]) + 1 if len(false) else 0
