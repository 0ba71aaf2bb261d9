"""Render the metrics of a run: a box with its last steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runfolio.cli.render import values
from runfolio.cli.render.screen import Screen
from runfolio.cli.render.spreadsheet import csv_text
from runfolio.cli.render.table import Column, box_fitting, box_room, boxed_table, column
from runfolio.cli.render.text import MARK, shorten, width
from runfolio.cli.rows import Row, Rows

_TITLE_MAX = 30
_TIME_SHORT = len("...10:30:01")
_TIME_WHOLE = len("2025-01-15 10:30:01")
_TIME_OF_DAY = len("10:30:01")
_GAP = 3


def results_lines(found: Rows, metrics: Sequence[str], to: Screen, wide: bool = False) -> list[str]:
    """Render the rows in a box, with as many of the metrics as fit, and say which are hidden."""
    if not found.rows:
        return ["No metrics yet."]
    leading = _leading(found.rows, _TIME_SHORT)
    metrics = _present_first(found.rows, metrics)
    candidates = _metric_columns(found.rows, metrics, None if wide else box_room(to))
    many = len(candidates) if wide else max(box_fitting([*leading, *candidates], to) - len(leading), 0)
    chosen = candidates[:many]
    used = sum(one.cells_wide + _GAP for one in (*leading, *chosen)) - _GAP
    spare = _TIME_WHOLE if wide else max(box_room(to) - used, 0)
    columns = [*_leading(found.rows, min(_TIME_SHORT + spare, _TIME_WHOLE)), *chosen]
    return [*boxed_table(_title(found), columns, to), *_hidden(metrics[many:], to)]


def _present_first(rows: list[Row], metrics: Sequence[str]) -> list[str]:
    """Put the metrics that these rows have before those that they lack, else in their order."""
    present = {name for row in rows for name in row.values}
    return sorted(metrics, key=lambda name: name not in present)


def _title(found: Rows) -> str:
    told = []
    if found.steps_shown < found.steps_total:
        told.append(f"showing last {found.steps_shown:,} of {found.steps_total:,}")
    elif found.steps_total:
        told.append(values.count(found.steps_total, "step"))
    if found.finals_shown < found.finals_total:
        told.append(f"last {found.finals_shown:,} of {found.finals_total:,} final")
    elif found.finals_total:
        told.append(f"{found.finals_total:,} final")
    return f"Results ({', '.join(told)})"


def _leading(rows: list[Row], time_limit: int) -> list[Column]:
    """Make the columns that name a row."""
    columns = [column("Step", [step_text(row) for row in rows], right=True)]
    if any(row.rank is not None for row in rows):
        columns.append(column("Rank", ["-" if row.rank is None else str(row.rank) for row in rows], right=True))
    times = [values.moment(values.at(row.time_ns)) for row in rows]
    if time_limit < _TIME_WHOLE:  # the date is what neighbours share
        times = [f"{MARK}{time[-_TIME_OF_DAY:]}" for time in times]
    return [*columns, column("Timestamp", times)]


def step_text(row: Row) -> str:
    """Name the step of a row."""
    return "final" if row.step is None else f"{row.step:,}"


def _metric_columns(rows: list[Row], metrics: Sequence[str], room: int | None) -> list[Column]:
    """Make the columns of the metrics, in their order, up to the first that cannot fit any more."""
    columns = []
    for name in metrics:
        texts = [values.number(row.values.get(name)) for row in rows]
        columns.append(column(name, texts, limit=_TITLE_MAX))
        if room is not None:
            room -= columns[-1].cells_wide + _GAP
            if room < 0:
                break
    return columns


def _hidden(names: Sequence[str], to: Screen) -> list[str]:
    if not names:
        return []
    text = f"{values.count(len(names), 'more metric')}; --metrics a,b or --wide shows them: "
    room = max(to.columns - width(text), 20)
    return [text + shorten(", ".join(names[:50]), room)]


def rows_facts(found: Rows, metrics: Sequence[str]) -> dict[str, Any]:
    """Give the rows in plain values, for JSON."""
    chosen = set(metrics)
    return {
        "steps_total": found.steps_total,
        "finals_total": found.finals_total,
        "rows": [
            {
                "step": row.step,
                "rank": row.rank,
                "timestamp": values.utc(values.at(row.time_ns)),
                "metrics": {name: value for name, value in row.values.items() if name in chosen},
            }
            for row in found.rows
        ],
    }


def rows_csv(found: Rows, metrics: Sequence[str], spreadsheet: bool) -> str:
    """Render the rows as CSV, with a column for each metric."""
    titles = ["step", "rank", "timestamp", *(f"metrics.{name}" for name in metrics)]
    lines = (
        [row.step, row.rank, values.utc(values.at(row.time_ns)), *(row.values.get(name) for name in metrics)]
        for row in found.rows
    )
    return csv_text(titles, lines, spreadsheet)
