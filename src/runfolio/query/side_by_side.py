"""A few runs side by side: of params, metrics, code, packages and machine only what differs, each against a baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from runfolio.model.params import same
from runfolio.model.states import RUNNING
from runfolio.query.charts.slices import read_files
from runfolio.query.circumstances import Facts, circumstances_of
from runfolio.query.compare import MISSING
from runfolio.query.survey.census import census_of
from runfolio.query.survey.objective import goal_by_name, goals_of

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

SECTIONS = ("params", "metrics", "code", "packages", "machine")
_CAPTURED = ("code", "packages", "machine")


class Row(NamedTuple):
    """What is not the same in all the runs. One element for each run."""

    key: str
    values: list[Any]
    """None where a run has none."""
    differs: list[bool]
    """From the baseline's."""
    goal: str | None = None
    """Of a metric: "min" or "max", declared or told by its name."""
    best: Sequence[int] = ()
    """The places of the runs whose value is best."""
    delta: Sequence[float | None] = ()
    """Of a metric: the value less the baseline's; None for the baseline itself, and where one of them has no finite value."""


class Section(NamedTuple):
    """What differs in one respect, and how much is the same."""

    name: str
    equal: int
    rows: list[Row]


def side_by_side(store: Store, runs: Sequence[Run], baseline: int = 0) -> list[Section]:
    """Set runs side by side; a section where nothing differs and nothing is the same is left out.

    Args:
        baseline: the place of the run that the others are compared with.
    """
    captured = [_captured(store, run) for run in runs]
    found = [_of_facts("params", [run.flat_params for run in runs], baseline), _of_metrics(store, runs, baseline)]
    for name in _CAPTURED:
        found.append(_of_facts(name, [facts[name] or {} for facts in captured], baseline))
    return [section for section in found if section.rows or section.equal]


def _captured(store: Store, run: Run) -> dict[str, Facts | None]:
    """Give what was captured of a run's surroundings; its patch in a few words."""
    state = run.state if run.status == RUNNING else read_files(store, run.id).state
    facts = circumstances_of({}, state)
    code = facts["code"]
    return facts if not code or not code.get("patch") else {**facts, "code": {**code, "patch": _patch(code["patch"])}}


def _patch(text: Any) -> str:
    told = str(text)
    digest = sha256(told.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"{told.count(chr(10)):,} lines, {digest}"


def _of_facts(name: str, facts: Sequence[Facts], baseline: int) -> Section:
    keys = dict.fromkeys(key for one in facts for key in one)
    rows = [_row(key, [one.get(key, MISSING) for one in facts], baseline) for key in keys]
    different = [row for row in rows if row is not None]
    return Section(name, len(rows) - len(different), different)


def _row(key: str, values: Sequence[Any], baseline: int) -> Row | None:
    """Give a row; None where all are the same."""
    differs = list(_differing(values, lambda one, other: one is other or _same(one, other), baseline))
    if not any(differs):
        return None
    return Row(key, [None if value is MISSING else value for value in values], differs)


def _same(one: Any, other: Any) -> bool:
    return one is not MISSING and other is not MISSING and same(one, other)


def _differing(values: Sequence[Any], alike: Callable[[Any, Any], bool], baseline: int) -> Iterator[bool]:
    return (not alike(value, values[baseline]) for value in values)


def _of_metrics(store: Store, runs: Sequence[Run], baseline: int) -> Section:
    columns = census_of(store).of(runs)
    goals = goals_of(columns)
    rows: list[Row] = []
    equal = 0
    for name, (numbers, present) in columns.metrics.items():
        if not present.any():
            continue
        values = [value if has else None for value, has in zip(numbers.tolist(), present.tolist(), strict=True)]
        differs = list(_differing(values, _equal, baseline))
        if not any(differs):
            equal += 1
            continue
        goal = goals.get(name) or goal_by_name(name)
        delta = [None if at == baseline else _less(value, values[baseline]) for at, value in enumerate(values)]
        rows.append(Row(name, values, differs, goal, _best(values, goal), delta))
    return Section("metrics", equal, rows)


def _equal(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and one != one and other != other)


def _less(value: float | None, other: float | None) -> float | None:
    if value is None or other is None:
        return None
    difference = value - other
    return difference if difference - difference == 0 else None


def _best(values: Sequence[float | None], goal: str | None) -> list[int]:
    """Give the places of the best value; NaN never is."""
    known = [value for value in values if value is not None and value == value]
    if goal is None or len(known) < 2:
        return []
    best = min(known) if goal == "min" else max(known)
    return [at for at, value in enumerate(values) if value == best]
