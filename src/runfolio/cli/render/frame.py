"""Render a run as it stands now into a screen: who it is, how far it has come, its curves, the end of its output."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from runfolio.cli.render import values
from runfolio.cli.render.curves import Chart, is_unicode, panel_lines
from runfolio.cli.render.screen import BOLD, DIM, YELLOW, Screen, status_mark, status_style
from runfolio.cli.render.text import shorten
from runfolio.model.ids import short
from runfolio.query.plot.curves import Plot
from runfolio.query.progress import Progress
from runfolio.query.run import Run

_LOWEST, _HIGHEST = 4, 16
_AROUND = 3  # a frame's title, axis and numbers
_SIDE_BY_SIDE = 48  # columns that a frame needs beside another
_OUTPUT_MAX = 8
_BAR_MAX = 30
_CONTROLS = re.compile(r"\x1b(?:\[[0-9;?]{0,40}[@-~]|\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)|[@-Z\\-_])")


class Seen(NamedTuple):
    """A run at one moment."""

    run: Run
    progress: Progress
    plot: Plot | None
    """Of the metrics that `room_for` has chosen."""
    more_metrics: int
    output: list[str]
    """Its last lines, the latest last."""


def output_lines(tail: bytes) -> list[str]:
    """Make lines of the end of an output: of what a carriage return has overwritten only the last, without colours."""
    text = _CONTROLS.sub("", tail.decode("utf-8", "replace"))
    lines = [line.rstrip("\r").rpartition("\r")[2].expandtabs() for line in text.split("\n")]
    return [line for line in lines if line.strip()][-_OUTPUT_MAX:]


def metrics_max(columns: int, rows: int, has_output: bool) -> int:
    """Count the frames that a screen has room for."""
    across = max(1, columns // _SIDE_BY_SIDE)
    return max(1, _chart_rows(rows, 4 if has_output else 0) // (_LOWEST + _AROUND)) * across


def frame_lines(seen: Seen, to: Screen, rows: int, hint: str = "") -> list[str]:
    """Render what fits into so many rows; the curves take what the rest leaves."""
    head = _head(seen, to)
    many = max(min(len(seen.output), _OUTPUT_MAX, rows // 4 - 1), 0)
    tail = [to.paint("output", DIM), *(shorten(line, to.columns) for line in seen.output[-many:])] if many else []
    tail += [to.paint(shorten(hint, to.columns), DIM)] if hint else []
    curves = _curves(seen, to, _chart_rows(rows, len(tail) - len(head) + 2))
    return [line.rstrip() for line in [*head, *curves, *tail]][:rows]


def _chart_rows(rows: int, taken: int) -> int:
    return rows - 2 - taken


def _head(seen: Seen, to: Screen) -> list[str]:
    run = seen.run
    mark = status_mark(run.status)
    who = "  ".join(filter(None, [run.name, short(run.id), run.experiment]))
    first = f"{to.paint(mark, status_style(run.status))}  {to.paint(shorten(who, max(to.columns - len(mark) - 2, 4)), BOLD)}"
    lines = [first, shorten(_progress(seen, to), to.columns)]
    if run.status_reason:
        lines.append(to.paint(shorten(run.status_reason, to.columns), YELLOW))
    return lines


def _progress(seen: Seen, to: Screen) -> str:
    step, total, fraction, left_s = seen.progress
    spent = (
        f"{values.span(seen.run.duration_s)} so far"
        if seen.run.status == "running"
        else f"took {values.span(seen.run.duration_s)}"
    )
    if step is None:
        return f"no step yet, {spent}"
    if not total or fraction is None:
        return f"step {step:,}, {spent}"
    left = f", {values.span(left_s)} left" if left_s is not None else ""
    told = f"step {step:,} of {total:,} ({fraction:.0%}){left}, {spent}"
    room = min(to.columns - len(told) - 4, _BAR_MAX)
    done = round(fraction * room)
    return f"[{'#' * done}{'-' * (room - done)}] {told}" if room >= 8 else told


def _curves(seen: Seen, to: Screen, rows: int) -> list[str]:
    """Set the frames side by side where there is room, as high as there is."""
    if seen.plot is None:
        return ["No metrics yet."]
    panels = seen.plot.panels
    across = min(max(1, to.columns // _SIDE_BY_SIDE), len(panels))
    lines_of = -(-len(panels) // across)
    told = [f"{values.count(seen.more_metrics, 'more metric')}: --metrics a,b shows them"] if seen.more_metrics else []
    high = min(max((rows - len(told)) // lines_of - _AROUND, _LOWEST), _HIGHEST)
    wide = (to.columns - 2 * (across - 1)) // across
    chart = Chart(to._replace(columns=wide), high, is_unicode())
    made = [
        panel_lines(seen.plot, panel, chart, _last(seen.run, seen.plot, place)) for place, panel in enumerate(panels)
    ]
    lines = []
    for begin in range(0, len(made), across):
        side = made[begin : begin + across]
        lines += ["  ".join(parts) for parts in zip(*side, strict=True)]
    return [*lines, *(shorten(line, to.columns) for line in told)]


def _last(run: Run, plot: Plot, place: int) -> str:
    """Say what the metric is at now."""
    curve = plot.panels[place].curves[0] if plot.panels[place].curves else None
    if curve is None:
        return ""
    known = curve.y[np.isfinite(curve.y)]
    return f"  {values.number(float(known[-1]))}" if len(known) else ""
