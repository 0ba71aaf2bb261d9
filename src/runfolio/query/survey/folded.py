"""Runs folded into rows: those of a row are equal but for the seed, or in the params that were told."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import NotFound, UsageError
from runfolio.model.names import shown
from runfolio.model.states import RUNNING
from runfolio.query.statistics.t_quantile import t_quantile
from runfolio.query.statistics.values import LEAST, is_constant
from runfolio.query.survey.census import NONE, Columns, census_of
from runfolio.query.survey.layouts import numbers_of
from runfolio.query.survey.objective import goals_of, objective_of
from runfolio.query.survey.overview import varies, varying_seeds

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

INTERVAL = "95 % t"
AT = ("last", "best", "first", "min", "max", "mean")
"""Which number of a run's metric may be asked for: what the index knows."""
_NAMED = 5
Floats = NDArray[np.float64]


class Row(NamedTuple):
    """Runs that are equal in the params of the row."""

    params: dict[str, Any]
    runs: list[Run]
    values: list[float | None]
    """One for each run; None where it has none."""
    n: int
    """How many runs count: those that run no more and have a finite value."""
    mean: float | None
    """None, as the interval and the median, where fewer than three count."""
    low: float | None
    high: float | None
    median: float | None
    statuses: dict[str, int]


class Folded(NamedTuple):
    """A page of rows."""

    total: int
    """How many rows there are."""
    runs: int
    by: list[str]
    over: list[str]
    metric: str | None
    rows: list[Row]


class _Groups(NamedTuple):
    """Which runs stand together. Shape of `order`: (run,), those of a group beside each other; of `begins`: (group + 1,)."""

    order: NDArray[np.int64]
    begins: NDArray[np.int64]

    def members(self, group: int) -> NDArray[np.int64]:
        return self.order[self.begins[group] : self.begins[group + 1]]


def folded(
    store: Store,
    runs: Sequence[Run],
    *,
    by: Sequence[str] = (),
    over: Sequence[str] = (),
    metric: str | None = None,
    at: str = "last",
    sort: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> Folded:
    """Fold runs.

    Args:
        by: the params of a row; default: all that vary, but `over`.
        over: what varies inside a row; default: the params that are named like a seed.
        metric: default: the objective.
        at: last, best, first, min, max or mean.
        sort: "metric", "n" or "params.KEY", with a minus for the highest first; default: by the newest run.

    Raises:
        NotFound: a param that no run has. UsageError: an order or a number that there is not.
    """
    columns = census_of(store).of(runs)
    over = [key_of(one, columns) for one in over] or varying_seeds(columns)
    by = [key_of(one, columns) for one in by] or [key for key in varying(columns) if key not in over]
    if metric is None:
        objective = objective_of(columns)
        metric = objective.metric if objective else None
    values, present = _values(store, columns, metric, at)
    groups = gather(columns, by)
    ended = np.array([run.status != RUNNING for run in columns.runs], np.bool_) & present
    counts = np.isfinite(values) & (_draws(columns, over, ended) if over else ended)
    order = _order(columns, groups, values, counts, sort)
    page = order[offset : None if limit is None else offset + limit]
    rows = [_row(columns, groups.members(group), by, values, present, counts) for group in page.tolist()]
    return Folded(len(order), columns.total, by, list(over), metric, rows)


def _draws(columns: Columns, over: Sequence[str], there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Give the runs that are draws of their own: of those that are equal in all params, the seed too, only the newest, as where groups are compared.

    Args:
        over: the seeds; a run that lacks one is a draw always.
    """
    seeded = there.copy()
    for key in over:
        seeded &= columns.params[key].codes != NONE
    alike = gather(columns, varying(columns))
    group = np.repeat(np.arange(len(alike.begins) - 1), np.diff(alike.begins))
    inside = seeded[alike.order]
    _, firsts = np.unique(group[inside], return_index=True)
    draws = there & ~seeded
    draws[alike.order[inside][firsts]] = True
    return draws


def varying(columns: Columns) -> list[str]:
    """Give the params that are not the same in all runs."""
    return [key for key, column in columns.params.items() if varies(column)]


def gather(columns: Columns, by: Sequence[str]) -> _Groups:
    """Put runs with equal values of some params together: the group with the first run first, the runs in their order."""
    group = np.zeros(columns.total, np.int64)
    for key in by:
        codes = columns.params[key].codes
        _, group = np.unique(group * (int(codes.max(initial=0)) + 2) + codes + 1, return_inverse=True)
    _, firsts, group = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty(len(firsts), np.int64)
    rank[np.argsort(firsts)] = np.arange(len(firsts))
    group = rank[group]
    order = np.argsort(group, kind="stable")
    begins = np.searchsorted(group[order], np.arange(len(firsts) + 1))
    return _Groups(order, begins)


def key_of(name: str, columns: Columns) -> str:
    """Find a param by its dotted key, with `params.` before it or not, or by the last part of it where that is unique."""
    keys = [key for key, column in columns.params.items() if (column.codes != NONE).any()]
    plain = name if name in keys else name.removeprefix("params.")
    if plain in keys:
        return plain
    ending = [key for key in keys if key.endswith(f".{plain}")]
    if len(ending) == 1:
        return ending[0]
    near = ending or get_close_matches(plain[:200], keys[:2000], 3) or keys[:_NAMED]
    hint = f"; they have {', '.join(map(shown, near[:_NAMED]))}" if near else "; they have none"
    raise NotFound(f"none of these runs has the param {shown(name)}{hint}")


def _values(store: Store, columns: Columns, metric: str | None, at: str) -> tuple[Floats, NDArray[np.bool_]]:
    """Give the number of each run, the mean of its ranks where it has several. Shape: (run,)."""
    if at not in AT:
        raise UsageError(f"at must be one of {', '.join(AT)}, not {shown(at)}")
    nothing = np.full(columns.total, np.nan), np.zeros(columns.total, np.bool_)
    if metric is None or metric not in columns.metrics:
        return nothing
    if at == "best":
        goal = goals_of(columns).get(metric)
        if goal is None:
            raise UsageError(f"is {shown(metric)} better low or high? No run declares its goal; ask at=min or at=max")
        at = goal
    if at == "last":
        return columns.metrics[metric]
    return numbers_of(census_of(store).layouts.find(columns.runs, metric), at, columns.total)


def _order(
    columns: Columns, groups: _Groups, values: Floats, counts: NDArray[np.bool_], sort: str | None
) -> NDArray[np.int64]:
    """Give the groups in the order asked for; those without what is sorted by come last."""
    total = len(groups.begins) - 1
    if not sort:
        return np.arange(total)
    what = sort.removeprefix("-")
    if what == "n":
        keys: list[Any] = [int(np.count_nonzero(counts[groups.members(group)])) for group in range(total)]
    elif what == "metric":
        keys = [_mean(values[groups.members(group)][counts[groups.members(group)]]) for group in range(total)]
    elif what.startswith("params."):
        column = columns.params[key_of(what, columns)]
        codes = [int(column.codes[groups.order[begin]]) for begin in groups.begins[:-1].tolist()]
        keys = [None if code == NONE else column.values[code] for code in codes]
    else:
        raise UsageError(f"sort by metric, n or params.KEY, not by {shown(sort)}")
    known = [place for place, key in enumerate(keys) if key is not None and key == key]
    known.sort(key=lambda place: sort_key(keys[place]), reverse=sort.startswith("-"))
    rest = [place for place, key in enumerate(keys) if key is None or key != key]
    return np.array(known + rest, np.int64)


def sort_key(value: Any) -> tuple[bool, float, str]:
    """Order values of any kinds: numbers before text."""
    if isinstance(value, bool | int | float):
        try:
            return (False, float(value), "")
        except OverflowError:
            return (False, math.copysign(math.inf, value), "")
    return (True, 0.0, str(value))


def _mean(values: Floats) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _row(
    columns: Columns,
    members: NDArray[np.int64],
    by: Sequence[str],
    values: Floats,
    present: NDArray[np.bool_],
    counts: NDArray[np.bool_],
) -> Row:
    first = int(members[0])
    params = {
        key: columns.params[key].values[columns.params[key].codes[first]]
        for key in by
        if columns.params[key].codes[first] != NONE
    }
    runs = [columns.runs[place] for place in members.tolist()]
    told = [value if has else None for value, has in zip(values[members].tolist(), present[members], strict=True)]
    known = values[members][counts[members]]
    mean, low, high = interval(known)
    median = float(np.median(known)) if len(known) >= LEAST else None
    statuses = Counter(run.status for run in runs)
    return Row(params, runs, told, len(known), mean, low, high, median, dict(statuses))


def interval(values: Floats) -> tuple[float | None, float | None, float | None]:
    """Give the mean of finite values and Student's 95 % interval around it; nothing below three values."""
    n = len(values)
    if n < LEAST:
        return None, None, None
    scale = float(np.max(np.abs(values))) or 1.0  # what has run far away cannot be squared
    mean = float(np.mean(values / scale)) * scale
    half = 0.0
    if not is_constant(values / scale):
        half = t_quantile(0.975, n - 1) * float(np.std(values / scale, ddof=1)) * scale / math.sqrt(n)
    if not math.isfinite(half):
        return mean, None, None
    return mean, mean - half, mean + half
