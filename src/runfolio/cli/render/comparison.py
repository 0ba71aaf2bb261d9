"""Render runs side by side: the params that differ, how the metrics ended, which run is best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runfolio.cli.render import values
from runfolio.cli.render.fitting import fit_families
from runfolio.cli.render.forms import latex_lines, markdown_lines
from runfolio.cli.render.runs import (
    hidden_line,
    last_text,
    named_in_full,
    param_column,
    points_aligned,
    standing_columns,
    standing_that_fit,
    titled,
)
from runfolio.cli.render.screen import BOLD, Screen, status_mark
from runfolio.cli.render.spreadsheet import csv_text
from runfolio.cli.render.table import GAP, WHOLE, Column, column, fitting, plain_table
from runfolio.cli.render.text import wrap
from runfolio.model.ids import short
from runfolio.model.names import printable

if TYPE_CHECKING:
    from runfolio.query.compare import Comparison

_STANDING_MAX = 8  # more runs than this are always rows
_SAME_MAX = 30
_WORD_MAX = 60
_BEST = "*"
_CHOOSE = "--params a,b and --metrics c,d choose"


def comparison_lines(found: Comparison, params: list[str], metrics: list[str], to: Screen, wide: bool) -> list[str]:
    """Render a comparison: runs as rows, or as columns where that hides less."""
    fixed = standing_that_fit(standing_columns(found.runs, to), to, wide)
    twice = set(params) & set(metrics)
    families = [
        (params, lambda key: _param_column(found, key, key in twice)),
        (metrics, lambda name: _metric_column(found, name, name in twice)),
    ]
    taken = fit_families(fixed, families, 10**9 if wide else to.columns)
    hidden = (len(params) - len(taken[0]), len(metrics) - len(taken[1]))
    if any(hidden) and (upright := _upright(found, params, metrics, to)):
        lines = plain_table(upright, to)
    else:
        lines = plain_table([*fixed, *taken[0], *taken[1]], to) + hidden_line(*hidden, to, _CHOOSE)
    return [*lines, *_same(found, to), *_goals(found, metrics, to)]


def _param_column(found: Comparison, key: str, is_ambiguous: bool, whole: bool = False) -> Column:
    return named_in_full(param_column(key, found.runs, whole), f"params.{key}", is_ambiguous, whole)


def _metric_column(found: Comparison, name: str, is_ambiguous: bool, whole: bool = False) -> Column:
    is_best = [False] * len(found.runs)
    marked = name in found.best and len(found.runs) > 1  # one run alone is best of nothing
    if marked:
        is_best = [value == found.metrics[name][found.best[name]] for value in found.metrics[name]]
    marks = [_BEST if best else " " for best in is_best] if marked else None
    texts = points_aligned([last_text(run, name) for run in found.runs], marks)
    title = f"metrics.{name}" if is_ambiguous else name
    title = f"{title} " if marks else title
    return titled(title, texts, True, [BOLD if best else "" for best in is_best], whole=whole)


def _upright(found: Comparison, params: list[str], metrics: list[str], to: Screen) -> list[Column] | None:
    """Set the runs as columns and the fields as rows; None where they do not fit so either."""
    if len(found.runs) > _STANDING_MAX:
        return None
    twice = set(params) & set(metrics)
    fields = [_param_column(found, key, key in twice) for key in params]
    fields += [_metric_column(found, name, name in twice) for name in metrics]
    names = column("", ["name", "status", *(one.title.rstrip() for one in fields)])
    columns = [names]
    for place, run in enumerate(found.runs):
        cells = [run.name or "-", status_mark(run.status), *(one.cells[place].rstrip() for one in fields)]
        columns.append(column(short(run.id), cells, limit=max(to.columns // (len(found.runs) + 1) - GAP, 10)))
    return columns if fitting(columns, to.columns) == len(columns) else None


def _same(found: Comparison, to: Screen) -> list[str]:
    """Say which params are the same in all runs."""
    if not found.same_params or len(found.runs) < 2:
        return []
    words = [
        printable(f"{key}={values.param(value)}", _WORD_MAX)
        for key, value in list(found.same_params.items())[:_SAME_MAX]
    ]
    more = len(found.same_params) - len(words)
    words = [f"{word}," for word in words[:-1]] + words[-1:] + ([f"and {more} more"] if more else [])
    return wrap(["Same", "for", "all:", *words], min(to.columns, 120))


def _goals(found: Comparison, metrics: list[str], to: Screen) -> list[str]:
    """Say what the mark means."""
    if len(found.runs) < 2:
        return []
    goals = {name: goal for run in found.runs for name, goal in run.goals.items()}
    told = [
        f"{'lowest' if goals[name] == 'min' else 'highest'} {printable(name, _WORD_MAX)}"
        for name in metrics
        if name in found.best
    ]
    return wrap(f"{_BEST} best: {', '.join(told[:_SAME_MAX])}".split(" "), to.columns) if told else []


def comparison_facts(found: Comparison, params: list[str], metrics: list[str]) -> dict[str, Any]:
    """Give a comparison in plain values: a value for each run, in the order of `runs`."""
    runs = found.runs
    return {
        "runs": [{"id": run.id, "name": run.name, "experiment": run.experiment, "status": run.status} for run in runs],
        "params": {key: found.params.get(key, [found.same_params.get(key)] * len(runs)) for key in params},
        "same_params": found.same_params,
        "metrics": {name: found.metrics[name] for name in metrics},
        "best": {name: runs[found.best[name]].id for name in metrics if name in found.best},
    }


def comparison_text(found: Comparison, params: list[str], metrics: list[str], latex: bool) -> list[str]:
    """Render a comparison as a table of Markdown or LaTeX."""
    names = column("run", [run.name or short(run.id) for run in found.runs], limit=WHOLE)
    twice = set(params) & set(metrics)
    columns = [
        names,
        *(_param_column(found, key, key in twice, whole=True) for key in params),
        *(_metric_column(found, name, name in twice, whole=True) for name in metrics),
    ]
    return latex_lines(columns) if latex else markdown_lines(columns)


def comparison_csv(found: Comparison, params: list[str], metrics: list[str], spreadsheet: bool) -> str:
    """Give a comparison as CSV, a row for each run."""
    titles = ["id", "name", "experiment", "status"]
    titles += [f"params.{key}" for key in params] + [f"metrics.{name}" for name in metrics]
    rows = (
        [run.id, run.name, run.experiment, run.status]
        + [run.flat_params.get(key) for key in params]
        + [found.metrics[name][place] for name in metrics]
        for place, run in enumerate(found.runs)
    )
    return csv_text(titles, rows, spreadsheet)
