"""Show runs and series in a notebook. Whatever a name or value holds, it stands there as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runfolio.model.ids import short
from runfolio.model.names import printable
from runfolio.query.plot.thin import thin

if TYPE_CHECKING:
    from runfolio.query.run import Run
    from runfolio.query.series import Series

_WIDE, _HIGH, _EDGE = 120, 24, 2
_STRETCHES = 60
_TEXT_MAX = 60
_ROWS_MAX = 20
_METRICS_MAX = 12
_PARAMS_MAX = 30

Floats = NDArray[np.float64]


def run_html(run: Run) -> str:
    """Render a run: how it stands, its params, and each metric with a small curve."""
    head = f"<b>{_text(run.name or short(run.id))}</b> <code>{short(run.id)}</code> {_text(run.status)}"
    if run.status_reason:
        head += f": {_text(run.status_reason)}"
    if run.experiment:
        head += f" · {_text(run.experiment)}"
    params = list(run.flat_params.items())
    names = list(run.metrics)
    parts = [f"<div>{head}</div>"]
    if params:
        listed = ", ".join(f"{_text(key)}={_text(_value(value))}" for key, value in params[:_PARAMS_MAX])
        parts.append(f"<div>{listed}{_more(len(params) - _PARAMS_MAX)}</div>")
    if names:
        parts.append(
            table_html(("metric", "", "last", "min", "max", "points"), _metric_rows(run, names[:_METRICS_MAX]))
        )
        parts.append(_more(len(names) - _METRICS_MAX))
    return "".join(parts)


def _metric_rows(run: Run, names: list[str]) -> Iterable[list[str]]:
    for name in names:
        ranks = run.metrics.ranks(name)
        series = run.series(name, "mean" if len(ranks) > 1 else None)
        yield [_text(name), sparkline(series), *_numbers(series)]


def series_html(series: Series) -> str:
    """Render a series: a small curve, and its last, lowest and highest value."""
    values = [_text(series.name), sparkline(series), *_numbers(series)]
    return table_html(("metric", "", "last", "min", "max", "points"), [values])


def _numbers(series: Series) -> list[str]:
    known = series.values[~np.isnan(series.values)]
    ends = [_value(float(known.min())), _value(float(known.max()))] if len(known) else ["-", "-"]
    return [_value(float(series.values[-1])) if len(series) else "-", *ends, f"{len(series):,}"]


def runs_html(runs: Sequence[Run]) -> str:
    """Render runs as a table: the params that vary, the last value of the first metrics."""
    shown = list(runs[:_ROWS_MAX])
    params = _varying([run.flat_params for run in shown])[:8]
    metrics = list(dict.fromkeys(name for run in shown for name in run.metrics))[:8]
    titles = [_text(title) for title in ("run", "id", "status", *params, *metrics)]
    rows = ([_text(cell) for cell in _row(run, params, metrics)] for run in shown)
    many = f"{len(runs):,} run{'' if len(runs) == 1 else 's'}"
    return f"<div>{many}</div>" + (table_html(titles, rows) if shown else "") + _more(len(runs) - _ROWS_MAX)


def _row(run: Run, params: list[str], metrics: list[str]) -> list[str]:
    flat = run.flat_params
    cells = [run.name or "", short(run.id), run.status]
    cells += [_value(flat[key]) if key in flat else "-" for key in params]
    for name in metrics:
        ranks = run.metrics.ranks(name) if name in run.metrics else []
        cells.append(_value(run.metrics[name].last) if len(ranks) == 1 else "-")
    return cells


def _varying(flats: list[dict[str, Any]]) -> list[str]:
    keys = dict.fromkeys(key for flat in flats for key in flat)
    return [key for key in keys if len({repr(flat.get(key)) for flat in flats}) > 1]


def table_html(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Make a table of cells that are HTML already."""
    head = "".join(f"<th>{title}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def sparkline(series: Series) -> str:
    """Draw a series as a small SVG, as high and low as it goes; a gap where it is not finite."""
    values = series.values[~series.final]
    steps = series.steps[~series.final].astype(np.float64)
    there = np.isfinite(values)
    if not there.any():
        return ""
    at = thin([values], _STRETCHES)
    x, y = _placed(steps, _WIDE)[at], _HIGH - _placed(values, _HIGH)[at]
    pieces = "".join(_piece(x[run], y[run]) for run in _unbroken(there[at]))
    size = f'width="{_WIDE}" height="{_HIGH}" viewBox="0 0 {_WIDE} {_HIGH}"'
    line = 'fill="none" stroke="#0072b2" stroke-width="1.5" stroke-linecap="round"'
    return f'<svg {size} role="img" aria-label="curve"><path d="{pieces}" {line}/></svg>'


def _placed(values: Floats, room: int) -> Floats:
    """Set values between the edges; the middle where they are all the same. Halved, so that no difference overflows."""
    known = values[np.isfinite(values)] / 2
    low, high = known.min(), known.max()
    with np.errstate(all="ignore"):
        part = (values / 2 - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return _EDGE + part * (room - 2 * _EDGE)


def _unbroken(there: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    places = np.flatnonzero(there)
    return np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)


def _piece(x: Floats, y: Floats) -> str:
    points = [f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    return f"M{points[0]}" + "".join(f"L{point}" for point in points[1:]) + ("h0" if len(points) == 1 else "")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else "none" if value is None else str(value)


def _text(text: str) -> str:
    return escape(printable(text, _TEXT_MAX))


def _more(amount: int) -> str:
    return f"<div>… {amount:,} more</div>" if amount > 0 else ""
