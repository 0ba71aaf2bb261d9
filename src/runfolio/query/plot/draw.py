"""Draw curves with matplotlib."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from runfolio.errors import UsageError
from runfolio.model.names import printable
from runfolio.query.need import need
from runfolio.query.plot.caption import caption
from runfolio.query.plot.curves import ABOVE, BELOW, NOT_A_NUMBER, Curve, Floats, Panel, Plot
from runfolio.query.plot.style import GREY, colour, stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STRETCHES = 1000
_HIGHEST = 1e300
_LEGEND_MAX = 14
_WIDTH, _PANEL_HEIGHT, _LEGEND_WIDTH = 6.4, 2.9, 0.068  # inches; the last for each character
_CAPTION_CHARS = 17  # of 6.5 points on an inch
_MARKS = {NOT_A_NUMBER: ("x", 0.0), ABOVE: ("^", 1.0), BELOW: ("v", 0.0)}


def figure_of(plot: Plot, title: str | None = None, show: bool = False) -> tuple[Figure, list[Axes]]:
    """Draw a figure: a panel below the other, one legend, and a caption with what must be said.

    Args:
        show: make it known to pyplot, which shows it in a notebook or a window.
    """
    matplotlib = need("matplotlib", "plot")
    labels = _labels(plot)
    wide = _WIDTH + (0.5 + _LEGEND_WIDTH * min(max(map(len, labels), default=0), 60) if len(labels) > 1 else 0)
    size = (wide, _PANEL_HEIGHT * len(plot.panels) + 0.5)
    with matplotlib.rc_context({"text.usetex": False}):
        maker = need("matplotlib.pyplot", "plot").figure if show else need("matplotlib.figure", "plot").Figure
        figure = maker(figsize=size, dpi=150, layout="constrained")
        axes = list(figure.subplots(len(plot.panels), 1, sharex=True, squeeze=False)[:, 0])
        plot = _tamed(plot)
        for ax, panel in zip(axes, plot.panels, strict=True):
            draw_panel(ax, plot, panel)
            ax.set_ylabel(_plain(panel.title))
        axes[-1].set_xlabel(_plain(plot.x_label))
        if title or len(labels) == 1:
            figure.suptitle(_plain(title or labels[0]), fontsize=11)
        if len(labels) > 1:
            _legend(figure, axes, loc="outside right upper")
        text = "\n".join(textwrap.wrap(caption(plot, STRETCHES), int(wide * _CAPTION_CHARS)))
        figure.supxlabel(_plain(text), fontsize=6.5, color=GREY, x=0.01, ha="left")
    return figure, axes


def draw_into(ax: Axes, plot: Plot, title: str | None = None) -> None:
    """Draw into axes of the caller's: no caption, as these belong to another figure."""
    plot = _tamed(plot)
    for panel in plot.panels:
        draw_panel(ax, plot, panel)
        ax.set_ylabel(_plain(panel.title))
    ax.set_xlabel(_plain(plot.x_label))
    if title:
        ax.set_title(_plain(title))
    if len(_labels(plot)) > 1:
        _legend(
            ax, [ax], loc="best" if sum(len(c.x) for p in plot.panels for c in p.curves) < 20_000 else "upper right"
        )


def draw_panel(ax: Axes, plot: Plot, panel: Panel) -> None:
    """Draw the curves of a panel, the first one on top."""
    if plot.log_y:
        ax.set_yscale("log")
    for curve in reversed(panel.curves):
        _draw_curve(ax, curve.thinned(STRETCHES), len(panel.curves))
    ax.grid(True, color="#e5e5e5", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _tamed(plot: Plot) -> Plot:
    """Keep values where matplotlib can still take their differences, and say so where it matters."""
    curves = [curve for panel in plot.panels for curve in panel.curves]
    if not any((np.abs(line) > _HIGHEST).any() for curve in curves for line in (curve.x, *curve.lines())):
        return plot

    def clipped(line: Floats | None) -> Any:
        return None if line is None else np.clip(line, -_HIGHEST, _HIGHEST)

    names = ("x", "y", "faint", "low", "high")
    panels = [
        Panel(
            panel.title, [replace(one, **{name: clipped(getattr(one, name)) for name in names}) for one in panel.curves]
        )
        for panel in plot.panels
    ]
    return plot._replace(panels=panels, notes=[*plot.notes, f"what is beyond ±{_HIGHEST:g} is drawn there"])


def _draw_curve(ax: Axes, curve: Curve, many: int) -> None:
    tint, order = colour(curve.place), 2.0 + 1.0 / (1 + curve.place)
    width = 1.6 if many <= _LEGEND_MAX else 0.9
    if curve.low is not None and curve.high is not None:
        ax.fill_between(curve.x, curve.low, curve.high, color=tint, alpha=0.16, linewidth=0, zorder=order - 1)
    if curve.faint is not None:
        ax.plot(curve.x, curve.faint, color=tint, alpha=0.28, linewidth=0.8, zorder=order - 0.5)
    drawn = curve.y
    if curve.part is not None and curve.part.any():
        ax.plot(curve.x, curve.y, color=tint, alpha=0.5, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=order)
        drawn = np.where(curve.part, np.nan, curve.y)
    label = _plain(curve.label)
    ax.plot(curve.x, drawn, color=tint, linestyle=stroke(curve.place), linewidth=width, label=label, zorder=order)
    alone = _alone(drawn)
    if alone.any():
        ax.plot(curve.x[alone], drawn[alone], color=tint, linestyle="none", marker="o", markersize=3.5, zorder=order)
    for what, at in curve.marks.items():
        marker, height = _MARKS[what]
        ax.plot(
            at,
            np.full(len(at), height),
            transform=ax.get_xaxis_transform(),
            color=tint,
            linestyle="none",
            marker=marker,
            markersize=5,
            clip_on=False,
            zorder=order + 2,
        )


def _alone(y: Floats) -> Any:
    """Find points without a neighbour to draw a line to."""
    there = np.concatenate([[False], np.isfinite(y), [False]])
    return there[1:-1] & ~there[:-2] & ~there[2:]


def _labels(plot: Plot) -> list[str]:
    return list(dict.fromkeys(curve.label for panel in plot.panels for curve in panel.curves))


def _legend(where: Any, axes: Sequence[Any], loc: str) -> None:
    """Name the curves; of very many, the first ones and how many more there are."""
    found: dict[str, Any] = {}
    for ax in axes:
        for line in reversed(ax.get_lines()):
            label = str(line.get_label())
            if not label.startswith("_"):
                found.setdefault(label, line)
    shown = dict(list(found.items())[:_LEGEND_MAX] if len(found) > _LEGEND_MAX + 1 else found.items())
    more = f"{len(found) - len(shown):,} more are not named here" if len(shown) < len(found) else None
    where.legend(
        shown.values(), shown.keys(), loc=loc, fontsize=8, frameon=False, handlelength=3.2, title=more, title_fontsize=7
    )


def _plain(text: str) -> str:
    """Let text stand as it is: `$` begins no formula, and a leading `_` hides no label."""
    text = "\n".join(map(printable, text.split("\n"))).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def plot_runs(
    runs: Any, metrics: Sequence[str], ax: Axes | None, out: Any, title: str | None, **wish: Any
) -> Axes | list[Axes]:
    """Do what `Runs.plot` promises."""
    from runfolio.query.plot.curves import plot_of
    from runfolio.query.plot.save import check_out, save

    if ax is not None and out is not None:
        raise UsageError("out= is for a figure of its own; with ax= save yours: ax.figure.savefig(…)")
    if out is not None:
        check_out(out)
    need("matplotlib", "plot")
    plot = plot_of(runs, metrics, **wish)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        if ax is not None:
            draw_into(ax, plot, title)
            return ax
        figure, axes = figure_of(plot, title, show=out is None)
        if out is not None:
            save(figure, out, title or ", ".join(metrics), caption(plot, STRETCHES))
    return axes[0] if len(axes) == 1 else axes
