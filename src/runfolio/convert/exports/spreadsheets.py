"""Runs as CSV: `runs.csv` with a row for each run, `points.csv` with a row for each point. Source: RFC 4180.

Numbers are exact, ints whole; NaN and the infinities are `nan`, `inf`, `-inf`, and what is missing is empty.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from runfolio.convert.exports.objects import logged, moment
from runfolio.query.points import KINDS, LONG
from runfolio.query.relations import param_text

if TYPE_CHECKING:
    from runfolio.query.points import Part
    from runfolio.query.runs import Runs


def write_runs(file: TextIO, runs: Runs) -> None:
    """Write a row for each run: who it is, its params, the last value of each metric, its summary."""
    columns = runs.columns()
    columns.setdefault("id", [])
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(map(_texts, zip(*columns.values(), strict=True)))


def write_points(file: TextIO, parts: Iterable[Part]) -> None:
    """Write a row for each point."""
    writer = csv.writer(file)
    writer.writerow(LONG)
    for part in parts:
        writer.writerows(_rows(part))


def _rows(part: Part) -> Iterator[tuple[Any, ...]]:
    points = part.points
    rank = "" if part.rank is None else part.rank
    head = (part.run.id, part.run.name or "", part.metric, rank)
    steps = ("" if final else step for step, final in zip(points.steps.tolist(), points.final.tolist(), strict=True))
    times = np.datetime_as_string(points.times_ns.view("datetime64[ns]"), unit="ns").tolist()
    kinds = (KINDS[kind] for kind in points.kinds.tolist())
    for step, value, kind, time in zip(steps, logged(points), kinds, times, strict=True):
        yield (*head, step, _number(value), kind, f"{time}Z")


def _number(value: float | int | bool) -> str:
    return repr(value) if not isinstance(value, bool) else "true" if value else "false"


def _texts(row: Iterable[Any]) -> list[str | None]:
    return [moment(value) if isinstance(value, datetime) else param_text(value) for value in row]
