"""Tables for a paper: a mean and its interval for each setting, the best in bold, and what is not told apart from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from runfolio.errors import NotFound, UsageError
from runfolio.model.names import shown
from runfolio.query.digits import Shown, alone, with_interval
from runfolio.query.groups import AGGREGATES, At, Group, Groups, groups
from runfolio.query.param_key import param_key
from runfolio.query.statistics.values import LEAST
from runfolio.query.statistics.verdict import NOISE

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.store import Store

MISSING = object()
"""Stands for a param that the runs of a row do not have."""


class Cell(NamedTuple):
    """One setting by one metric."""

    group: Group
    is_best: bool
    """Whether it is the best of its column, or not significantly different from it."""

    @property
    def n(self) -> int:
        return self.group.description.n

    @property
    def shown(self) -> list[Shown]:
        """The numbers: the mean with its interval; below three values each of them."""
        told = self.group.description
        if told.mean is None or told.interval is None:
            return [alone(float(value)) for value in told.values]
        return [with_interval(told.mean, told.interval.low, told.interval.high)]

    @property
    def text(self) -> str:
        """The numbers and how many values they come of: `0.913 ± 0.012 (5)`."""
        return f"{', '.join(map(_plain, self.shown))} ({self.n})" if self.n else "-"


def _plain(one: Shown) -> str:
    mean, *rest = one.numbers
    text = mean if not rest else f"{mean} ± {rest[0]}" if len(rest) == 1 else f"{mean} [{', '.join(rest)}]"
    return text if not one.exponent else f"({text})e{one.exponent}" if rest else f"{text}e{one.exponent}"


@dataclass(frozen=True)
class Column:
    """One metric, of all runs or of those with one value of a param."""

    title: str
    metric: str
    groups: Groups | None
    """None where no run has it."""


class Line(NamedTuple):
    """One setting: the values of its params, and a cell for each column."""

    labels: tuple[Any, ...]
    cells: list[Cell | None]


@dataclass
class PaperTable:
    """Settings as rows, metrics as columns."""

    rows: list[str]
    """The params that make a row."""
    columns: list[Column]
    lines: list[Line] = field(default_factory=list)

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that count."""
        found = {run.id for line in self.lines for cell in line.cells if cell for run in cell.group.runs}
        return sorted(found)

    @property
    def digest(self) -> str:
        """A hash over the ids of the runs, the labels and the numbers shown."""
        told = [
            [[_label(one) for one in line.labels], [cell and cell.text for cell in line.cells]] for line in self.lines
        ]
        bold = [[bool(cell and cell.is_best) for cell in line.cells] for line in self.lines]
        heads = [self.rows, [column.title for column in self.columns]]
        return sha256(json.dumps([self.runs, heads, told, bold]).encode()).hexdigest()

    def notes(self) -> list[str]:
        """Say what one should know before believing it."""
        return list(dict.fromkeys(note for column in self.columns if column.groups for note in _notes(column.groups)))

    def __repr__(self) -> str:
        return f"<PaperTable of {len(self.lines)} rows and {len(self.columns)} columns from {len(self.runs)} runs>"


class Recipe(NamedTuple):
    """What a table is made from, so that it can be made again."""

    rows: list[str]
    cols: list[str]
    metric: str | None = None
    over: list[str] | None = None
    goal: str | None = None
    """"min", "max", or by metric: `acc=max,loss=min`."""
    at: str = "last"
    filter: str | None = None
    experiment: str | None = None

    def make(self, store: Store) -> PaperTable:
        """Make the table from the runs that fit."""
        runs = store.runs(self.filter, experiment=self.experiment)
        at = int(self.at) if self.at.lstrip("-").isdecimal() else self.at
        return paper_table(runs, self.rows, self.cols, self.over, goals_of(self.goal), at, self.metric)


def paper_table(
    runs: Iterable[Run],
    rows: str | Sequence[str],
    cols: str | Sequence[str],
    over: str | Sequence[str] | None = None,
    goal: str | Mapping[str, str] | None = None,
    at: At = "last",
    metric: str | None = None,
) -> PaperTable:
    """Make a table of means and intervals over seeds.

    Args:
        rows: the params that make a row.
        cols: metrics, as `metrics.acc` or `metrics.acc.max`; with `metric`, a param: a column for each of its values.
        over: the param of the seed, as for `groups`.
        goal: "min" or "max", for all metrics or by metric; default: as declared.
        at: the number of a run, as for `groups`.

    Raises:
        NotFound: no run, or none with the metric or the param. UsageError: no goal, no rows or no columns.
    """
    listed = list(runs)
    if not listed:
        raise NotFound("no run fits; runfolio list shows what there is")
    known = list(dict.fromkeys(key for run in listed for key in run.flat_params))
    keys, names = [param_key(name, known) for name in _names(rows)], _names(cols)
    if not keys or not names:
        raise UsageError("a table needs rows (params) and columns (metrics): --rows params.model --cols metrics.acc")
    seeds = None if over is None else [param_key(name, known) for name in _names(over)]
    goals = goal if isinstance(goal, Mapping) else dict.fromkeys(_metrics(listed), goal) if goal else {}
    wish = _Wish(keys, seeds, goals, at)
    if metric is None:
        columns = [_column(_bare(name, "metrics", _metrics(listed)), name, listed, wish) for name in names]
    elif len(names) > 1:
        raise UsageError(f"with --metric the columns are the values of one param, not of {', '.join(names)}")
    else:
        columns = _by_param(param_key(names[0], known), metric, listed, wish)
    made = PaperTable(keys, columns)
    made.lines = _lines(made)
    return made


class _Wish(NamedTuple):
    """What is asked of each column alike."""

    rows: list[str]
    over: list[str] | None
    goals: Mapping[str, str]
    at: At


def goals_of(told: str | None) -> str | dict[str, str] | None:
    """Read `max`, or `acc=max,loss=min`.

    Raises:
        UsageError: neither.
    """
    if told is None or told in ("min", "max"):
        return told
    goals: dict[str, str] = {}
    for part in told.split(","):
        name, equals, goal = part.strip().rpartition("=")
        if not equals or goal not in ("min", "max"):
            raise UsageError(f"goal is min, max, or one for each metric as acc=max,loss=min; not {shown(told)}")
        goals[name.removeprefix("metrics.")] = goal
    return goals


def _names(told: str | Sequence[str]) -> list[str]:
    return [told] if isinstance(told, str) else list(dict.fromkeys(told))


def _metrics(runs: list[Run]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run.metrics))


def _bare(name: str, family: str, known: Iterable[str]) -> str:
    """Take the family off a name, unless it is a part of it."""
    return name if name in known else name.removeprefix(f"{family}.")


# ----------------------------------------------------------------------------------------------------------- columns


def _column(title: str, told: str, runs: list[Run], wish: _Wish) -> Column:
    """Make the column of a metric.

    Raises:
        NotFound: no run has it. UsageError: it is a param.
    """
    known = _metrics(runs)
    metric, at = _bare(told, "metrics", known), wish.at
    stem, _, which = metric.rpartition(".")
    if metric not in known and stem in known and which in AGGREGATES:
        metric, at = stem, which
    if metric not in known and _is_param(told, runs):
        raise UsageError(f"{shown(told)} is a param; for a column for each of its values say --metric, of what")
    return Column(title, metric, groups(runs, metric, wish.rows, wish.over, wish.goals.get(metric), at))


def _is_param(told: str, runs: list[Run]) -> bool:
    try:
        return bool(param_key(told, list({key for run in runs for key in run.flat_params})))
    except NotFound:
        return False


def _by_param(key: str, metric: str, runs: list[Run], wish: _Wish) -> list[Column]:
    """Make a column for each value of a param."""
    if key in wish.rows:
        raise UsageError(f"the param {shown(key)} cannot make rows and columns")
    by_value: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if key in run.flat_params:
            by_value.setdefault(_frozen(run.flat_params[key]), []).append(run)
    inner = sorted(by_value.values(), key=lambda members: _order(members[0].flat_params[key]))
    if not any(_bare(metric, "metrics", _metrics(members)) in _metrics(members) for members in inner):
        _column(metric, metric, runs, wish)  # says which metrics there are
    return [_of_some(f"{key}={_label(members[0].flat_params[key])}", metric, members, wish) for members in inner]


def _of_some(title: str, metric: str, runs: list[Run], wish: _Wish) -> Column:
    """Make the column of some of the runs, which may lack the metric, or params."""
    there = {key for run in runs for key in run.flat_params}
    rows = [key for key in wish.rows if key in there]
    over = None if wish.over is None else [key for key in wish.over if key in there]
    try:
        return _column(title, metric, runs, wish._replace(rows=rows, over=over))
    except NotFound:
        return Column(title, metric, None)


# ------------------------------------------------------------------------------------------------------------- lines


def _lines(table: PaperTable) -> list[Line]:
    """Gather the cells of each setting, the settings in the order of their params."""
    found: dict[tuple[tuple[str, str], ...], Line] = {}
    for at, column in enumerate(table.columns):
        for cell in _cells(column.groups):
            labels = tuple(cell.group.params.get(key, MISSING) for key in table.rows)
            empty = Line(labels, [None] * len(table.columns))
            found.setdefault(tuple(map(_frozen, labels)), empty).cells[at] = cell
    return sorted(found.values(), key=lambda line: tuple(map(_order, line.labels)))


def _cells(column: Groups | None) -> list[Cell]:
    if column is None:
        return []
    best = _best(column)
    return [Cell(group, best is not None and _is_best(column, best, at)) for at, group in enumerate(column)]


def _best(column: Groups) -> int | None:
    """Find the best group: among those with three values or more, where there are any."""
    counted = [at for at, group in enumerate(column) if group.description.n]
    return next((at for at in counted if column[at].description.n >= LEAST), counted[0] if counted else None)


def _is_best(column: Groups, best: int, at: int) -> bool:
    """Say whether a group is the best or not told apart from it. Where nothing can be settled only an equal mean is."""
    if at == best:
        return True
    pair = next((one for one in column.pairs if {one.a, one.b} == {best, at}), None)
    if pair is None:
        return False
    return pair.verdict.word == NOISE or (pair.verdict.p is None and pair.difference.value == 0)


def _frozen(value: Any) -> tuple[str, str]:
    return ("", "") if value is MISSING else (type(value).__name__, repr(value))


def _order(value: Any) -> tuple[int, float, str]:
    """Put numbers before text, and what is missing last."""
    if isinstance(value, int | float) and value == value:
        return (0, float(value), "")
    return (2 if value is MISSING else 1, 0.0, str(value))


def _label(value: Any) -> str:
    return "-" if value is MISSING else value if isinstance(value, str) else json.dumps(value)


def _notes(found: Groups) -> Iterable[str]:
    if found.inside:
        yield f"inside the cells other params vary too: {', '.join(found.inside)}; add them to the rows, or filter"
    for reason, runs in found.left_out.items():
        yield f"{len(runs)} {'run' if len(runs) == 1 else 'runs'} left out of {found.metric}: {_REASONS.get(reason, reason)}"
    if any(0 < group.description.n < LEAST for group in found):
        yield "below three values a cell has the values themselves, and nothing is told apart"
    if found.uncompared:
        yield f"{found.uncompared} rows far from the best of {found.metric} are not compared with it"


_REASONS = {
    "running": "still running",
    "repeated": "with the seed and params of a newer one",
    "NaN": "at NaN",
    "infinite": "at infinity",
}
