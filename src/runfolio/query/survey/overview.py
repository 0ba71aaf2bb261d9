"""What a selection of runs is made of: what varies, what is the same, and which of it explains the objective."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.model.states import RUNNING
from runfolio.query.circumstances import is_seed
from runfolio.query.survey.census import NONE, Coded, Columns, Numbers, census_of
from runfolio.query.survey.objective import Objective, objective_of, told_objective

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

DEFAULT_MAX, DEFAULT_METRICS_MAX = 8, 4
"""How many columns stand by default beside name and state, and how many of them are metrics."""
ALONE_SHARE = 0.8
"""Where more of the groups than this would be one run, folding says nothing."""
_BINS = 8
"""Numbers are put into so many ranges of rank, so that a best value in the middle is seen too."""
_LEAST = 4  # runs; of fewer no share of a variance is told
_FAR = 1.5  # times the middle half, outside of it: Tukey's fences
_EMPTY_MAX = 200

Floats = NDArray[np.float64]


class Column(NamedTuple):
    """What varies."""

    key: str
    """`params.KEY`, `summary.KEY` or `metrics.NAME.last`."""
    kind: str
    """number, text, bool or mixed."""
    filled: int
    """How many runs have it."""
    distinct: int
    """How many values it has; NaN is one."""
    weight: float | None
    """Which share of the objective's variance it explains alone; None where that cannot be told."""


class Overview(NamedTuple):
    """What a selection is made of."""

    total: int
    running: int
    objective: Objective | None
    over: list[str]
    """The params that are named like a seed and vary."""
    columns: list[Column]
    """What varies, or what not all of the runs have: the objective first, then the heaviest."""
    same: list[tuple[str, Any]]
    empty: list[str]
    """What the store knows and none of the runs has, or where all have none."""
    default: list[str]
    """The columns to show first."""
    folds: bool
    """Whether runs that differ in nothing but a seed may be found here."""


def overview_of(store: Store, runs: Sequence[Run], metric: str | None = None) -> Overview:
    """Look over runs.

    Args:
        metric: the objective; default: chosen from the runs.
    """
    census = census_of(store)
    return overview(census.of(runs), store.names(), metric)


def overview(columns: Columns, known: dict[str, frozenset[str]], metric: str | None = None) -> Overview:
    """Look over columns; `known` are the names that the store knows, by family."""
    objective = objective_of(columns) if metric is None else told_objective(columns, metric)
    target = columns.metrics.get(objective.metric) if objective else None
    explained = _Explained(target.values) if target is not None else None
    varying: list[Column] = []
    same: list[tuple[str, Any]] = []
    empty: list[str] = []
    for found in _looked_over(columns, explained):
        if isinstance(found, Column):
            varying.append(found)
        elif found[1] is None:
            empty.append(found[0])
        else:
            same.append(found)
    own = f"metrics.{objective.metric}.last" if objective else ""
    over = varying_seeds(columns)
    varying.sort(key=lambda one: (one.key != own, -(one.weight or 0.0)))
    empty += _absent(columns, known)
    return Overview(
        total=columns.total,
        running=sum(run.status == RUNNING for run in columns.runs),
        objective=objective,
        over=over,
        columns=varying,
        same=same,
        empty=empty[:_EMPTY_MAX],
        default=_default(varying, own, columns.total) or _of_one(same),
        folds=_may_fold(varying, over, columns.total),
    )


def varying_seeds(columns: Columns) -> list[str]:
    """Give the params that are named like a seed and are not the same in all runs."""
    return [key for key, column in columns.params.items() if is_seed(key) and varies(column)]


def varies(column: Coded) -> bool:
    """Say whether a column is not the same in all runs."""
    return len(column.codes) > 0 and bool((column.codes != column.codes[0]).any())


def _looked_over(columns: Columns, explained: _Explained | None) -> Iterator[Column | tuple[str, Any]]:
    for family, coded in (("params", columns.params), ("summary", columns.summary)):
        for key, column in coded.items():
            yield from _of_values(f"{family}.{key}", column, explained)
    for name, numbers in columns.metrics.items():
        yield from _of_metric(f"metrics.{name}.last", numbers, explained)


def _of_values(key: str, column: Coded, explained: _Explained | None) -> Iterator[Column | tuple[str, Any]]:
    had = column.codes[column.codes != NONE]
    if not len(had):
        return
    used = np.flatnonzero(np.bincount(had, minlength=len(column.values)))
    if len(used) == 1 and len(had) == len(column.codes):
        yield (key, column.values[used[0]])
        return
    values = [column.values[code] for code in used.tolist()]
    kind = kind_of(values)
    weight = None
    if explained is not None and kind == "number":
        numbers = np.full(len(column.values) + 1, np.nan)
        numbers[used] = [float(value) for value in values]
        weight = explained.by_rank(numbers[column.codes])
    elif explained is not None:
        weight = explained.by_group(column.codes)
    yield Column(key, kind, len(had), len(used), weight)


def _of_metric(key: str, numbers: Numbers, explained: _Explained | None) -> Iterator[Column | tuple[str, Any]]:
    had = numbers.values[numbers.present]
    if not len(had):
        return
    known = had[~np.isnan(had)]
    distinct = _distinct(known) + (len(known) < len(had))
    if distinct == 1 and len(had) == len(numbers.values):
        yield (key, float(had[0]))
        return
    yield Column(key, "number", len(had), distinct, explained.by_line(numbers.values) if explained else None)


def _distinct(values: Floats) -> int:
    ordered = np.sort(values)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if len(ordered) else 0


def kind_of(values: Iterable[Any]) -> str:
    """Say of what kind values are: number, text, bool or mixed; None is of any."""
    kinds = {_KINDS.get(type(value), "mixed") for value in values if value is not None}
    return kinds.pop() if len(kinds) == 1 else "mixed"


_KINDS = {int: "number", float: "number", str: "text", bool: "bool"}


def _absent(columns: Columns, known: dict[str, frozenset[str]]) -> list[str]:
    """Give what the store knows and none of these runs has."""
    found = []
    for family, coded in (("params", columns.params), ("summary", columns.summary)):
        found += [f"{family}.{key}" for key in sorted(known.get(family, ())) if not _has_any(coded.get(key))]
    present = {name for name, one in columns.metrics.items() if one.present.any()}
    return found + [f"metrics.{name}.last" for name in sorted(known.get("metrics", ())) if name not in present]


def _has_any(column: Coded | None) -> bool:
    return column is not None and bool((column.codes != NONE).any())


def _default(columns: list[Column], own: str, runs: int) -> list[str]:
    """Choose the columns to show first: the objective, the metrics and the params that explain most of it."""
    chosen = []
    metrics = 0
    for one in columns:
        is_metric = one.key.startswith("metrics.")
        if is_metric and metrics >= DEFAULT_METRICS_MAX:
            continue
        if one.kind == "text" and runs > _LEAST and one.distinct * 2 > runs:
            continue  # as good as a name
        metrics += is_metric
        chosen.append(one.key)
        if len(chosen) == DEFAULT_MAX:
            break
    return chosen


def _may_fold(columns: Iterable[Column], over: Sequence[str], runs: int) -> bool:
    """Say whether a seed varies, and no other param by itself sets nearly all runs apart."""
    params = [(one.key.removeprefix("params."), one.distinct) for one in columns if one.key.startswith("params.")]
    seeds = any(distinct > 1 for key, distinct in params if key in over)
    return seeds and all(distinct <= ALONE_SHARE * runs for key, distinct in params if key not in over)


def _of_one(same: list[tuple[str, Any]]) -> list[str]:
    """Choose the columns where nothing varies, as of a single run: its metrics, then its params."""
    metrics = [key for key, _ in same if key.startswith("metrics.")][:DEFAULT_METRICS_MAX]
    return [*metrics, *(key for key, _ in same if key.startswith("params."))][:DEFAULT_MAX]


class _Explained:
    """Tells which share of the variance of one column of numbers others explain, each alone.

    NaN and infinities are left out, and what has run far away is drawn in: one run that diverged would be all the variance there is. The share of
    groups is the adjusted one: many small groups explain nothing by being many.
    """

    def __init__(self, target: Floats) -> None:
        self._finite = np.isfinite(target)
        self._target = target
        if self._finite.any():
            low, high = np.quantile(target[self._finite], (0.25, 0.75))
            reach = _FAR * (high - low)
            self._target = np.clip(target, low - reach, high + reach) if reach > 0 else target

    def by_line(self, values: Floats) -> float | None:
        """Give the squared correlation."""
        keep = self._finite & np.isfinite(values)
        if np.count_nonzero(keep) < _LEAST:
            return None
        x, y = _scaled(values[keep]), _scaled(self._target[keep])
        if x is None or y is None:
            return None
        return _share(float(np.dot(x, y) ** 2 / (np.dot(x, x) * np.dot(y, y))))

    def by_rank(self, values: Floats) -> float | None:
        """Give what ranges of a number explain: equal values stay together."""
        keep = np.isfinite(values)
        groups = np.full(len(values), NONE)
        ordered = np.sort(values[keep])
        if not len(ordered):
            return None
        if _distinct(ordered) <= _BINS:
            edges = np.unique(ordered)
        else:
            edges = np.unique(ordered[(np.arange(_BINS) * len(ordered)) // _BINS])
        groups[keep] = np.searchsorted(edges, values[keep], side="right") - 1
        return self.by_group(groups)

    def by_group(self, codes: NDArray[np.int64]) -> float | None:
        """Give what a grouping explains; runs without a value are a group of their own."""
        groups = codes[self._finite] + 1
        y = _scaled(self._target[self._finite])
        if y is None or len(groups) < _LEAST:
            return None
        counts = np.bincount(groups)
        kinds, runs = np.count_nonzero(counts), len(groups)
        if kinds < 2 or kinds >= runs:
            return None
        sums = np.bincount(groups, y)
        between = float(np.sum(sums[counts > 0] ** 2 / counts[counts > 0]))
        inside = max(float(np.dot(y, y)) - between, 0.0) / float(np.dot(y, y))
        return _share(1 - inside * (runs - 1) / (runs - kinds))


def _scaled(values: Floats) -> Floats | None:
    """Centre values, and scale them so that none is beyond 1: squares of what ran away stay finite. None where they do not vary."""
    least, most = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    reach = most / 2 - least / 2
    if not reach > 0 or not np.isfinite(reach):
        return None
    scaled = (values / 2 - least / 2) / reach
    found: Floats = scaled - scaled.mean()
    return found if np.dot(found, found) > 0 else None


def _share(value: float) -> float | None:
    return min(max(float(value), 0.0), 1.0) if value == value else None
