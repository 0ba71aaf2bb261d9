"""Make curves ready to be drawn: read, smooth, laid over each other where they are a group's, gaps and marks found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from runfolio.errors import NotFound, UsageError
from runfolio.model.names import printable, shown
from runfolio.query.bands import CENTRES, Band, band
from runfolio.query.no_metric import no_metric
from runfolio.query.param_key import param_key
from runfolio.query.plot.labels import frozen, params_label, run_labels
from runfolio.query.plot.smooth import smoothed
from runfolio.query.plot.thin import thin
from runfolio.query.series import Series
from runfolio.store.points import Merged

if TYPE_CHECKING:
    from runfolio.query.run import Run

STEP, TIME = "step", "time"
NOT_A_NUMBER, ABOVE, BELOW = "NaN", "+∞", "−∞"

Floats = NDArray[np.float64]
_NONE = np.zeros(0)
_UNITS = (("days", 2 * 86_400.0, 86_400.0), ("hours", 2 * 3600.0, 3600.0), ("minutes", 120.0, 60.0))


@dataclass(frozen=True)
class Curve:
    """One line of a panel. Shape: x, y, faint, low, high and alone have one element for each point; NaN is a gap."""

    label: str
    place: int
    """Which colour and line style it takes: the same in all panels."""
    runs: tuple[str, ...]
    x: Floats
    y: Floats
    faint: Floats | None = None
    """The line before it was smoothed."""
    low: Floats | None = None
    high: Floats | None = None
    part: NDArray[np.bool_] | None = None
    """Where only a part of the group's runs have a number."""
    marks: dict[str, Floats] = field(default_factory=dict)
    """Where values are NaN or infinite, by x."""

    def lines(self) -> list[Floats]:
        """Give what is drawn by height."""
        return [line for line in (self.y, self.faint, self.low, self.high) if line is not None]

    def thinned(self, stretches: int) -> Curve:
        """Give a curve of fewer points, which looks the same: see `thin`."""
        marks = {what: _spread(at, stretches) for what, at in self.marks.items()}
        if len(self.x) <= 4 * stretches:
            return replace(self, marks=marks)
        at = thin(self.lines(), stretches)
        names = [name for name in ("x", "y", "faint", "low", "high", "part") if getattr(self, name) is not None]
        return replace(self, marks=marks, **{name: getattr(self, name)[at] for name in names})


@dataclass(frozen=True)
class Panel:
    """The curves of one metric, or of several on the same axes."""

    title: str
    curves: list[Curve]


class Plot(NamedTuple):
    """What is drawn: a panel for each metric, and what must be said with it."""

    panels: list[Panel]
    x_label: str
    log_y: bool
    runs: list[Run]
    notes: list[str]
    looks: list[str]
    """What pale and faint lines mean, where there are such."""


class _Line(NamedTuple):
    """One metric of one run. Shape: one element for each point drawn."""

    run: Run
    steps: NDArray[np.int64]
    x: Floats
    y: Floats
    raw: Floats


class _Wish(NamedTuple):
    """How curves are wanted."""

    smooth: float
    x: str
    log_y: bool
    centre: str
    grouped: bool


def plot_of(
    runs: Iterable[Run],
    metrics: Sequence[str],
    *,
    group_by: Sequence[str] | None = None,
    smooth: float = 0.0,
    x: str = STEP,
    log_y: bool = False,
    centre: str = "mean",
    together: bool = False,
) -> Plot:
    """Make ready what is to be drawn of metrics of runs.

    Args:
        group_by: one curve for each value of these params, with a band over its runs; None: one for each run.
        smooth: the weight of the moving average, from 0 (none) up to below 1.
        x: "step"; "time", since each run's start; or another metric, at the same step.
        centre: of a group: "mean", with Student's interval; "median", with the middle half.
        together: all metrics on the same axes.

    Raises:
        NotFound: no run has such a metric or param.
    """
    wish = _Wish(smooth, x, log_y, centre, group_by is not None)
    _check(wish, metrics)
    listed = list(runs)
    _check_metrics(listed, [*metrics, *([x] if x not in (STEP, TIME) else [])])
    having = [run for run in listed if any(name in run.metrics for name in metrics)]
    members = _members(having, group_by)
    said = _Said()
    panels = [_panel(metric, members, wish, said) for metric in dict.fromkeys(metrics)]
    if together and len(panels) > 1:
        panels = [_one_panel(panels)]
    x_label = printable(x)
    if x == TIME:
        panels, x_label = _in_one_unit(panels)
    return Plot(panels, x_label, log_y, having, said.notes(wish, len(listed) - len(having)), said.looks(wish))


def _check(wish: _Wish, metrics: Sequence[str]) -> None:
    if isinstance(wish.smooth, bool) or not 0 <= wish.smooth < 1:
        raise UsageError(f"smooth is a weight from 0 up to below 1, such as 0.9, not {wish.smooth!r}")
    if wish.centre not in CENTRES:
        raise UsageError(f"a curve's centre is 'mean' or 'median', not {shown(wish.centre)}")
    if not metrics:
        raise UsageError("name a metric to plot")


def _panel(metric: str, members: list[tuple[str, list[Run]]], wish: _Wish, said: _Said) -> Panel:
    curves = (_curve(label, place, group, metric, wish, said) for place, (label, group) in enumerate(members))
    return Panel(printable(metric), [curve for curve in curves if curve is not None])


# ---------------------------------------------------------------------------------------------------------- which runs


def _check_metrics(runs: list[Run], metrics: Iterable[str]) -> None:
    if not runs:
        raise NotFound("there is no run to plot; runfolio list shows what there is")
    for name in metrics:
        if any(name in run.metrics for run in runs):
            continue
        raise NotFound(no_metric(name, runs))


def _members(runs: list[Run], group_by: Sequence[str] | None) -> list[tuple[str, list[Run]]]:
    """Give the label and the runs of each curve, in the order of the runs."""
    if group_by is None:
        return [(label, [run]) for label, run in zip(run_labels(runs), runs, strict=True)]
    known = list(dict.fromkeys(key for run in runs for key in run.flat_params))
    keys = [param_key(name, known) for name in group_by]
    gathered: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        flat = run.flat_params
        gathered.setdefault(tuple(frozen(flat[key]) if key in flat else None for key in keys), []).append(run)
    found = []
    for group in sorted(gathered.values(), key=lambda group: [_order(group[0].flat_params.get(key)) for key in keys]):
        flat = group[0].flat_params
        had, lacking = {key: flat[key] for key in keys if key in flat}, [key for key in keys if key not in flat]
        label = params_label(had, lacking) or "all runs"
        found.append((f"{label} (n = {len(group)})", group))
    return found


def _order(value: Any) -> tuple[bool, float, str]:
    """Put numbers by their size, before text by the alphabet."""
    is_number = isinstance(value, int | float) and value == value and abs(value) < 1e300
    return not is_number, float(value) if is_number else 0.0, str(value)


# ----------------------------------------------------------------------------------------------------------- one curve


def _curve(label: str, place: int, runs: list[Run], metric: str, wish: _Wish, said: _Said) -> Curve | None:
    lines = [line for run in runs if metric in run.metrics and (line := _line(run, metric, wish, said)) is not None]
    if not lines:
        return None
    curve = _over(lines, wish, said) if wish.grouped else _alone(lines[0], wish)
    curve = replace(curve, label=label, place=place, runs=tuple(line.run.id for line in lines), marks=_marks(lines))
    return _above_zero(curve, said) if wish.log_y else curve


def _line(run: Run, metric: str, wish: _Wish, said: _Said) -> _Line | None:
    """Read a metric of a run, and what stands on its x axis."""
    series = _series(run, metric, said)
    steps, raw = series.steps, series.values
    if wish.x == TIME:
        begun = run._row.created_ns or (int(series._points.times_ns.min()) if len(series) else 0)
        x = (series._points.times_ns - begun) / 1e9
        y = smoothed(raw, wish.smooth)
        return _Line(run, steps, x, y, raw) if len(series) else None
    said.finals += int(series.final.sum())
    steps, raw = steps[~series.final], raw[~series.final]
    y = smoothed(raw, wish.smooth)
    x = steps.astype(np.float64)
    if wish.x != STEP:
        if wish.x not in run.metrics:
            said.without_x += 1
            return None
        other = _series(run, wish.x, said)
        own, values = other.steps[~other.final], other.values[~other.final]
        steps, here, there = np.intersect1d(steps, own, assume_unique=True, return_indices=True)
        y, raw, x = y[here], raw[here], values[there]
        there_is = np.isfinite(x)
        steps, x, y, raw = steps[there_is], x[there_is], y[there_is], raw[there_is]
    return _Line(run, steps, x, y, raw) if len(steps) else None


def _series(run: Run, metric: str, said: _Said) -> Series:
    several = len(run.metrics.ranks(metric)) > 1
    said.several_ranks += several
    return run.series(metric, "mean" if several else None)


def _alone(line: _Line, wish: _Wish) -> Curve:
    return Curve("", 0, (), line.x, _finite(line.y), _finite(line.raw) if wish.smooth else None)


def _over(lines: list[_Line], wish: _Wish, said: _Said) -> Curve:
    """Lay the lines of a group over each other; each is smoothed by itself before."""
    laid = _band(lines, lambda line: line.y, wish.centre)
    said.bands.add(laid.band_name)
    x = laid.steps.astype(np.float64) if wish.x == STEP else _band(lines, lambda line: line.x, wish.centre).centre
    part = laid.n < laid.runs
    said.parts += bool(part.any())
    said.thin_groups += len(lines) < 3
    faint = _band(lines, lambda line: line.raw, wish.centre).centre if wish.smooth else None
    return Curve("", 0, (), x, laid.centre, faint, laid.low, laid.high, part)


def _band(lines: list[_Line], of: Callable[[_Line], Floats], centre: str) -> Band:
    return band([_as_series(line.steps, of(line)) for line in lines], centre)


def _as_series(steps: NDArray[np.int64], values: Floats) -> Series:
    length = len(steps)
    kinds, times = np.full(length, ord("f"), np.uint8), np.zeros(length, np.int64)
    return Series("", Merged(steps, np.zeros(length, np.bool_), values, kinds, times))


def _marks(lines: list[_Line]) -> dict[str, Floats]:
    """Find where values cannot be drawn by their height."""
    tests: dict[str, Callable[[Floats], NDArray[np.bool_]]] = {
        NOT_A_NUMBER: np.isnan,
        ABOVE: np.isposinf,
        BELOW: np.isneginf,
    }
    found = {
        what: np.unique(np.concatenate([line.x[test(line.raw)] for line in lines])) for what, test in tests.items()
    }
    return {what: at for what, at in found.items() if len(at)}


def _above_zero(curve: Curve, said: _Said) -> Curve:
    """Take out what a log axis cannot show; a band that reaches 0 ends at the lowest value drawn."""
    y = _positive(curve.y)
    said.not_positive += int((curve.y <= 0).sum())
    low = high = None
    if curve.low is not None and curve.high is not None:
        cut = curve.low <= 0
        said.cut_bands += bool(cut.any())
        floor = float(y[y > 0].min()) if (y > 0).any() else np.nan
        low, high = np.where(cut, np.fmin(floor, curve.high), curve.low), _positive(curve.high)
    return replace(curve, y=y, faint=None if curve.faint is None else _positive(curve.faint), low=low, high=high)


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _spread(at: Floats, most: int) -> Floats:
    """Give at most so many of the places, over the whole length."""
    return at if len(at) <= most else at[np.linspace(0, len(at) - 1, most).astype(np.intp)]


# ------------------------------------------------------------------------------------------------------- the whole plot


def _one_panel(panels: list[Panel]) -> Panel:
    """Put the curves of several metrics on the same axes."""
    curves = [
        replace(curve, label=f"{panel.title} {curve.label}".strip()) for panel in panels for curve in panel.curves
    ]
    alone = all(len(panel.curves) == 1 for panel in panels)
    names = [panel.title for panel in panels for _ in panel.curves]
    return Panel(
        ", ".join(panel.title for panel in panels),
        [
            replace(curve, place=place, label=names[place] if alone else curve.label)
            for place, curve in enumerate(curves)
        ],
    )


def _in_one_unit(panels: list[Panel]) -> tuple[list[Panel], str]:
    """Give times in the unit that suits the longest, and the name of the axis."""
    longest = max((float(np.nanmax(c.x)) for panel in panels for c in panel.curves if len(c.x)), default=0.0)
    unit, seconds = next(((unit, seconds) for unit, least, seconds in _UNITS if longest >= least), ("s", 1.0))
    told = [Panel(panel.title, [_in_unit(curve, seconds) for curve in panel.curves]) for panel in panels]
    return told, f"time since the start ({unit})"


def _in_unit(curve: Curve, seconds: float) -> Curve:
    return replace(curve, x=curve.x / seconds, marks={what: at / seconds for what, at in curve.marks.items()})


class _Said:
    """What a reader of the picture must know, counted as it is found."""

    def __init__(self) -> None:
        self.finals = self.several_ranks = self.without_x = self.parts = 0
        self.not_positive = self.cut_bands = self.thin_groups = 0
        self.bands: set[str] = set()

    def notes(self, wish: _Wish, without: int) -> list[str]:
        """Put it into words."""
        mean = "interval" in "".join(self.bands)
        told = [
            (without, f"{_many(without, 'run')} without {'it' if without == 1 else 'them'} left out"),
            (
                bool(self.bands),
                f"line: {wish.centre}; band: {', '.join(sorted(self.bands))}{', at each step' if mean else ''}",
            ),
            (self.thin_groups, "a group of fewer than 3 runs has no band"),
            (self.parts, "at some steps not all runs of a group have a number"),
            (wish.smooth, f"smoothed by {wish.smooth:g}"),
            (self.several_ranks, "mean over ranks"),
            (self.finals, f"{_many(self.finals, 'point')} without a step not drawn"),
            (self.without_x, f"{_many(self.without_x, 'run')} without {printable(wish.x)} not drawn"),
            (
                self.not_positive,
                f"{_many(self.not_positive, 'value')} of 0 or below not drawn: the axis is logarithmic",
            ),
            (self.cut_bands, "bands that reach 0 or below are cut"),
        ]
        return [text for holds, text in told if holds]

    def looks(self, wish: _Wish) -> list[str]:
        told = [(wish.smooth, "faint: as logged"), (self.parts, "pale: not all runs of the group")]
        return [text for holds, text in told if holds]


def _many(amount: int, noun: str) -> str:
    return f"{amount:,} {noun}{'' if amount == 1 else 's'}"
