"""Render curves in characters: each panel a frame with axes; below them who is who, and what must be said."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from runfolio.cli.render.axis import Axis
from runfolio.cli.render.canvas import NOBODY, Canvas, Floats
from runfolio.cli.render.screen import BOLD, DIM, Screen
from runfolio.cli.render.text import pad, shorten, width, wrap
from runfolio.model.names import printable
from runfolio.query.plot.caption import SIGNS, caption
from runfolio.query.plot.curves import ABOVE, BELOW, NOT_A_NUMBER, Curve, Panel, Plot

LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TINTS = ("38;5;33", "38;5;208", "38;5;36", "38;5;175", "38;5;214", "38;5;74", "")
"""The colours of files, as near as 256 colours come to them on a light and on a dark ground."""
_FAINT = 1000
"""Added to the place of a curve: what stands behind it."""
_LEGEND_MAX = 12
_FRAMED, _PLAIN = tuple("│┤└─┬"), tuple("|++-+")
_HEIGHTS = {NOT_A_NUMBER: (-1, "x"), ABOVE: (0, "^"), BELOW: (-1, "v")}
_ASCII = str.maketrans({"∞": "inf", "−": "-", "▲": "^", "▼": "v", "×": "x", "…": "~", "·": "-"})


class Chart(NamedTuple):
    """How panels are drawn: in which characters, how wide and high."""

    to: Screen
    rows: int
    unicode: bool


def is_unicode() -> bool:
    """Say whether standard output can carry braille."""
    try:
        "⣿┤".encode(sys.stdout.encoding or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True


def plot_lines(plot: Plot, to: Screen, rows: int, title: str | None = None) -> list[str]:
    """Render the whole plot; a panel has so many rows."""
    chart = Chart(to, rows, is_unicode())
    lines = [to.paint(shorten(title, to.columns), BOLD)] if title else []
    for place, panel in enumerate(plot.panels):
        lines += [""] * bool(place) + panel_lines(plot, panel, chart)
    lines += legend_lines(plot, chart)
    said = caption(plot if to.colours else plot._replace(looks=[]), 2 * to.columns)
    lines += [to.paint(line, DIM) for line in wrap(_plain(said, chart).split(" "), to.columns)]
    return [line.rstrip() for line in lines]


def panel_lines(plot: Plot, panel: Panel, chart: Chart, more: str = "") -> list[str]:
    """Render one panel: its title, then a frame of `rows` rows, then the axis and its numbers.

    Shape: rows + 3 lines, each as wide as the screen.
    """
    to, rows = chart.to, chart.rows
    if not to.colours:  # nobody could tell what is faint from the line
        panel = Panel(panel.title, [replace(curve, faint=None) for curve in panel.curves])
    alone = f" · {panel.curves[0].label}" if len(panel.curves) == 1 and panel.curves[0].label and not more else ""
    scale = " (logarithmic)" if plot.log_y else ""
    title = shorten(_plain(f"{panel.title}{scale}{alone}{more}", chart), to.columns)
    head = to.paint(pad(title, to.columns), BOLD)
    x_axis, y_axis = _x_axis(plot), _y_axis(panel, plot.log_y)
    if x_axis is None or y_axis is None:
        nothing = shorten("nothing to draw here: no finite value at a step", to.columns)
        return [head, *(pad(nothing if row == rows // 2 else "", to.columns) for row in range(rows + 2))]
    ticks = _by_row(y_axis, rows)
    gutter = max((len(text) for text in ticks.values()), default=0)
    canvas = Canvas(max(to.columns - gutter - 2, 4), rows, chart.unicode)
    _draw(canvas, panel, x_axis, y_axis, to.colours)
    bar, tick, corner, floor, foot = _FRAMED if chart.unicode else _PLAIN
    body = [
        f"{ticks.get(row, ''):>{gutter}} {tick if row in ticks else bar}{_painted(pieces, to)}"
        for row, pieces in enumerate(canvas.text(_char))
    ]
    feet, numbers = _feet(x_axis, canvas, plot.x_label, floor, foot)
    blank = " " * gutter
    return [head, *body, f"{blank} {corner}{feet}", f"{blank}  {numbers}"]


def legend_lines(plot: Plot, chart: Chart) -> list[str]:
    """Say which letter and colour is which; nothing where each panel has one curve."""
    curves = {curve.place: curve for panel in plot.panels for curve in panel.curves}
    if len(curves) < 2:
        return []
    shown = list(curves.values())[:_LEGEND_MAX] if len(curves) > _LEGEND_MAX + 1 else list(curves.values())
    lines = []
    for curve in shown:
        letter = chart.to.paint(f"  {_letter(curve.place)} ", _tint(curve.place))
        lines.append(letter + shorten(_plain(curve.label, chart), max(chart.to.columns - 4, 1)))
    return lines + ([f"  and {len(curves) - len(shown):,} more"] if len(shown) < len(curves) else [])


# -------------------------------------------------------------------------------------------------------------- dots


def _draw(canvas: Canvas, panel: Panel, x_axis: Axis, y_axis: Axis, colours: bool) -> None:
    """Draw what stands behind, then the lines, the first one last, then signs and letters."""
    room = max(canvas.columns - 2, 1) / canvas.columns if len(panel.curves) > 1 else 1.0  # letters stand at the ends
    curves = [curve.thinned(2 * canvas.columns) for curve in panel.curves]
    placed = [(curve, x_axis.place(curve.x) * room) for curve in curves]
    for curve, x in placed:
        for edge in (curve.low, curve.high):
            if edge is not None:
                canvas.dots(*_every(x, y_axis.place(edge), canvas.columns), curve.place + _FAINT)
        if curve.faint is not None:
            canvas.line(x, y_axis.place(curve.faint), curve.place + _FAINT)
    for curve, x in reversed(placed):
        y = y_axis.place(curve.y)
        if curve.part is not None and colours:
            canvas.line(x, y, curve.place + _FAINT)
            y = np.where(curve.part, np.nan, y)
        canvas.line(x, y, curve.place)
    for curve, x in placed:
        _sign_alone(canvas, curve, x, y_axis.place(curve.y))
        _sign_marks(canvas, curve, x_axis, room)
        if len(curves) > 1:
            _sign_end(canvas, curve, x, y_axis.place(curve.y))


def _every(x: Floats, y: Floats, columns: int) -> tuple[Floats, Floats]:
    """Give a dot for every second column along a line."""
    there = np.isfinite(x) & np.isfinite(y)
    if not there.any():
        return x[:0], y[:0]
    x, y = x[there], y[there]
    order = np.argsort(x, kind="stable")
    at = np.arange(0.25, columns, 2.0) / columns
    at = at[(at >= x[order[0]]) & (at <= x[order[-1]])]
    return at, np.interp(at, x[order], y[order])


def _sign_alone(canvas: Canvas, curve: Curve, x: Floats, y: Floats) -> None:
    """Make points seen that have no neighbour to draw a line to."""
    there = np.concatenate([[False], np.isfinite(y), [False]])
    for at in np.flatnonzero(there[1:-1] & ~there[:-2] & ~there[2:]).tolist():
        canvas.sign(
            *canvas.cell(float(x[at]), float(y[at])), "•" if canvas.unicode else _letter(curve.place), curve.place
        )


def _sign_marks(canvas: Canvas, curve: Curve, x_axis: Axis, room: float) -> None:
    for what, at in curve.marks.items():
        row, plain = _HEIGHTS[what]
        for x in (x_axis.place(at) * room).tolist():
            column = canvas.cell(x, 0.5)[1]
            canvas.sign(row % canvas.rows, column, SIGNS[what] if canvas.unicode else plain, curve.place)


def _sign_end(canvas: Canvas, curve: Curve, x: Floats, y: Floats) -> None:
    """Put the letter of a curve behind its last point, or as near as there is room."""
    there = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(there):
        return
    row, column = canvas.cell(float(x[there[-1]]), float(y[there[-1]]))
    for down in (0, -1, 1):
        for back in range(4):
            if canvas.sign(row + down, column + 1 - back, _letter(curve.place), curve.place):
                return


def _painted(pieces: list[tuple[str, int]], to: Screen) -> str:
    return "".join(
        text
        if owner == NOBODY
        else to.paint(text, f"{DIM};{_tint(owner - _FAINT)}".rstrip(";") if owner >= _FAINT else _tint(owner))
        for text, owner in pieces
    )


def _tint(place: int) -> str:
    return _TINTS[place % len(_TINTS)]


def _letter(place: int) -> str:
    return LETTERS[place % len(LETTERS)]


def _char(place: int) -> str:
    return "." if place >= _FAINT else _letter(place)


def _plain(text: str, chart: Chart) -> str:
    text = printable(text)
    return text if chart.unicode else text.translate(_ASCII)


# -------------------------------------------------------------------------------------------------------------- axes


def _x_axis(plot: Plot) -> Axis | None:
    """Span all panels, so that the same place is the same step in each."""
    return _axis([
        part for panel in plot.panels for curve in panel.curves for part in (curve.x, *curve.marks.values())
    ])  # fmt: skip


def _y_axis(panel: Panel, log: bool) -> Axis | None:
    return _axis([line for curve in panel.curves for line in curve.lines()], log)


def _axis(arrays: list[Floats], log: bool = False) -> Axis | None:
    known = [array[np.isfinite(array)] for array in arrays]
    known = [array for array in known if len(array)]
    if not known:
        return None
    return Axis(min(float(array.min()) for array in known), max(float(array.max()) for array in known), log)


def _by_row(axis: Axis, rows: int) -> dict[int, str]:
    """Give the row of each number beside the axis."""
    ticks = axis.ticks(max(rows // 3, 3))
    places = axis.place(np.array([value for value, _ in ticks]))
    return {
        round((1 - place) * (rows - 1)): text
        for place, (_, text) in zip(places.tolist(), ticks, strict=True)
        if 0 <= place <= 1
    }


def _feet(axis: Axis, canvas: Canvas, label: str, floor: str, foot: str) -> tuple[str, str]:
    """Render the line below the frame, and its numbers with the name of the axis."""
    columns = canvas.columns
    line, numbers = [floor] * columns, [" "] * columns
    name = shorten(label, max(columns // 2, 1))
    name_at = columns - width(name)
    ticks = axis.ticks(max(columns // 10, 2))
    free = 0
    for (_, text), place in zip(ticks, axis.place(np.array([value for value, _ in ticks])).tolist(), strict=True):
        column = canvas.cell(min(max(place, 0.0), 1.0), 0.0)[1]
        begin = max(min(column - len(text) // 2, columns - len(text)), 0)
        if begin < free or begin + len(text) >= name_at:
            continue
        line[column] = foot
        numbers[begin : begin + len(text)] = text
        free = begin + len(text) + 2
    return "".join(line), "".join(numbers[:name_at]) + name
