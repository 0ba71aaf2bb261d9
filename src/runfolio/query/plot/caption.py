"""Say with a plot which runs are drawn, and what a reader must know of how."""

from __future__ import annotations

from runfolio.model.ids import short
from runfolio.query.plot.curves import ABOVE, BELOW, NOT_A_NUMBER, Plot

SIGNS = {NOT_A_NUMBER: "×", ABOVE: "▲", BELOW: "▼"}
_IDS_MAX = 12


def caption(plot: Plot, stretches: int) -> str:
    """Put it into one sentence or several.

    Args:
        stretches: into how many the lines are thinned when they are drawn.
    """
    return "; ".join([ids_words(plot), *plot.notes, *plot.looks, *_marks(plot), *_thinned(plot, stretches)])


def ids_words(plot: Plot) -> str:
    """Name the runs."""
    ids = [short(run.id) for run in plot.runs]
    more = f" and {len(ids) - _IDS_MAX:,} more" if len(ids) > _IDS_MAX else ""
    return f"run{'' if len(ids) == 1 else 's'} {', '.join(ids[:_IDS_MAX])}{more}"


def _marks(plot: Plot) -> list[str]:
    found = {what for panel in plot.panels for curve in panel.curves for what in curve.marks}
    told = [f"{sign} {what}" for what, sign in SIGNS.items() if what in found]
    return [", ".join(told)] if told else []


def _thinned(plot: Plot, stretches: int) -> list[str]:
    longest = max((len(curve.x) for panel in plot.panels for curve in panel.curves), default=0)
    if longest <= 4 * stretches:
        return []
    return [f"thinned: of each {stretches:,}th of a line its first, last, lowest and highest point"]
