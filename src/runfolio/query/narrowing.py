"""Narrow a selection by a filter and an order, and read what must be known before it can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from runfolio.query.aggregate import number_of
from runfolio.query.filter import Slow, compile_filter, compile_sort
from runfolio.query.filter.names import Known
from runfolio.query.selection import Selection

if TYPE_CHECKING:
    from runfolio.query.series import Series


def narrowed(selection: Selection, filter: str | None, sort: str | None, known: Callable[[], Known]) -> Selection:
    """Add a filter and an order.

    Raises:
        FilterError: one of them cannot be understood.
    """
    if filter is not None and filter.strip():
        condition = compile_filter(filter, known(), selection.slow)
        where = f"{selection.where} AND {condition.sql}" if selection.where else condition.sql
        values = (*selection.values, *condition.values)
        selection = selection._replace(where=where, values=values, slow=condition.slow)
    if sort is not None and sort.strip():
        order = compile_sort(sort, known(), selection.slow)
        selection = selection._replace(order=order.sql, order_values=order.values, slow=order.slow)
    return selection


def slow_numbers(slow: Iterable[Slow], read: Callable[[str], dict[str, Series]]) -> list[dict[str, float | None]]:
    """Read what only points tell: for each question the number of each run, by id.

    Args:
        read: gives a metric's series by run id, several ranks as their mean.
    """
    slow = list(slow)
    series = {metric: read(metric) for metric in dict.fromkeys(one.metric for one in slow)}
    return [
        {run_id: number_of(one, which, argument) for run_id, one in series[metric].items()}
        for metric, which, argument in slow
    ]
