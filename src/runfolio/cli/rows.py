"""Gather the metrics of a run into rows: one for each step and rank, those without a step at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from runfolio.errors import MetricNotFound, UsageError
from runfolio.model.ids import short
from runfolio.model.names import shown
from runfolio.store.summary import Number, number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from runfolio.query.run import Run
    from runfolio.query.series import Series


class Row(NamedTuple):
    """The values of one step and rank. The time is that of the latest write."""

    step: int | None
    rank: int | None
    time_ns: int
    values: dict[str, Number]


class Rows(NamedTuple):
    """The last rows of a run, by rising step, and how many steps there are in all."""

    rows: list[Row]
    steps_shown: int
    steps_total: int
    finals_shown: int
    finals_total: int


def rows_of(run: Run, last: int | None, rank: str = "all") -> Rows:
    """Give the rows of the last steps, and of as many points without a step.

    Args:
        last: how many steps, 1 or more; None for all.
        rank: a number, "none", "mean" or "all".
    """
    asked = parse_rank(rank)
    _check_rank(run, asked)
    series = run._several([name for name in run.metrics if _has(run, name, asked)], asked)
    steps = _union([one.steps[~one.final] for one in series])
    since = None if last is None or last >= len(steps) else int(steps[-last])
    stepped: dict[tuple[int, int | None], Row] = {}
    final: dict[tuple[int | None, int, int], Row] = {}
    for one in series:
        _gather(one, since, stepped, final)
    shown = sorted(stepped.values(), key=lambda row: (row.step, _rank_order(row)))
    finals = sorted(final.values(), key=lambda row: (row.time_ns, _rank_order(row)))
    kept = finals if last is None else finals[max(len(finals) - last, 0) :]
    return Rows([*shown, *kept], len({row.step for row in shown}), len(steps), len(kept), len(finals))


def chosen_metrics(run: Run, told: str | None) -> list[str]:
    """Give the metrics that a user named, in that order, or all of them in the order first logged.

    Raises:
        MetricNotFound: the run has none of this name.
    """
    if told is None:
        return list(run.metrics)
    if told in run.metrics:
        return [told]  # a name with commas
    names = [name.strip() for name in told.split(",") if name.strip()]
    for name in names:
        run.metrics.ranks(name)
    return names


def parse_rank(told: str) -> int | str:
    """Read the text of `--rank`."""
    if told in ("all", "mean", "none"):
        return told
    try:
        return int(told)
    except ValueError:
        raise UsageError(f'--rank is a number, "none", "mean" or "all", not {shown(told)}') from None


def _check_rank(run: Run, asked: int | str) -> None:
    """Refuse a rank that no metric of the run has.

    Raises:
        MetricNotFound: it has others, or none.
    """
    if asked in ("all", "mean") or not run.metrics:
        return
    ranks = dict.fromkeys(rank for name in run.metrics for rank in run.metrics.ranks(name))
    if (None if asked == "none" else asked) in ranks:
        return
    known = sorted(rank for rank in ranks if rank is not None)
    if not known:
        raise MetricNotFound(f"run {short(run.id)} has no ranks, so there is no rank {asked}; leave --rank out")
    there = [*map(str, known), *(["none"] if None in ranks else [])]
    raise MetricNotFound(f"run {short(run.id)} has no rank {asked}; it has {', '.join(there)}")


def _has(run: Run, name: str, rank: int | str) -> bool:
    return rank in ("all", "mean") or (None if rank == "none" else rank) in run.metrics.ranks(name)


def _union(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Give the distinct steps, rising. Metrics logged together have equal steps, which are sorted once."""
    import numpy as np

    distinct: list[NDArray[np.int64]] = []
    for part in parts:
        if not any(np.array_equal(part, other) for other in distinct[-8:]):
            distinct.append(part)
    return np.unique(np.concatenate(distinct)) if distinct else np.empty(0, np.int64)


def _gather(
    series: Series,
    since: int | None,
    stepped: dict[tuple[int, int | None], Row],
    final: dict[tuple[int | None, int, int], Row],
) -> None:
    """Put the points of a metric into their rows. Points of one call without a step share its time, and so a row."""
    import numpy as np

    wanted = np.arange(len(series)) if since is None else np.flatnonzero(series.final | (series.steps >= since))
    ranks = series.ranks[wanted].tolist() if series.ranks is not None else [None] * len(wanted)
    columns = (series.steps, series.final, series.values, series.kinds, series.times.view("int64"))
    repeated: dict[tuple[int | None, int], int] = {}
    for rank, step, is_final, value, kind, time_ns in zip(
        ranks, *(one[wanted].tolist() for one in columns), strict=True
    ):
        known = None if rank == -1 else rank
        if is_final:
            repeat = repeated[known, time_ns] = repeated.get((known, time_ns), -1) + 1
            row = final.setdefault((known, time_ns, repeat), Row(None, known, time_ns, {}))
        else:
            row = stepped.setdefault((step, known), Row(step, known, time_ns, {}))
            if time_ns > row.time_ns:
                row = stepped[step, known] = row._replace(time_ns=time_ns)
        row.values[series.name] = number(value, kind)


def _rank_order(row: Row) -> int:
    return -1 if row.rank is None else row.rank
