"""Render runs as a table: how they stand, what varies between them, how their metrics ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from runfolio.cli.render import values
from runfolio.cli.render.fitting import fit_families
from runfolio.cli.render.screen import Screen, status_mark, status_style
from runfolio.cli.render.table import WHOLE, Column, column, fitting, plain_table
from runfolio.cli.render.text import wrap
from runfolio.model.ids import short

if TYPE_CHECKING:
    from runfolio.query.run import Run

_NAME_LIMIT, _CELL_LIMIT, _NUMBER_LIMIT, _TITLE_LIMIT = 32, 16, 20, 24  # an int of 64 bits is never cut
_STATUS_AND_ID = len("✓ finished  3f9a2c7b  ")
MISSING = object()


def standing_columns(runs: list[Run], to: Screen) -> list[Column]:
    """Make the columns that say which run it is and how it stands."""
    limit = max(min(_NAME_LIMIT, to.columns // 3, to.columns - _STATUS_AND_ID), 8)
    columns = [
        Column("status", [status_mark(run.status) for run in runs], False, [status_style(run.status) for run in runs]),
        Column("id", [short(run.id) for run in runs]),
    ]
    if any(run.name for run in runs):
        columns.append(column("name", [run.name or "-" for run in runs], limit=limit))
    if len({run.experiment for run in runs}) > 1:
        columns.append(column("experiment", [run.experiment or "-" for run in runs], limit=limit))
    return columns


def age_column(runs: list[Run]) -> Column:
    """Make the column that says how long ago the runs began."""
    now = time.time()
    ages = [values.age(now - run.created.timestamp()) if run.created else "-" for run in runs]
    return Column("age", ages, right=True)


def runs_table(runs: list[Run], to: Screen, wide: bool = False) -> list[str]:
    """Render a listing; the last line says what did not fit, and how to see it."""
    fixed = standing_that_fit([*standing_columns(runs, to), age_column(runs)], to, wide)
    params, metrics = varying_params(runs), metric_names(runs)
    twice = set(params) & set(metrics)
    families = [
        (params, lambda key: named_in_full(param_column(key, runs), f"params.{key}", key in twice)),
        (metrics, lambda name: named_in_full(_last_column(name, runs), f"metrics.{name}", name in twice)),
    ]
    taken = fit_families(fixed, families, 10**9 if wide else to.columns)
    lines = plain_table([*fixed, *taken[0], *taken[1]], to)
    return lines + hidden_line(len(params) - len(taken[0]), len(metrics) - len(taken[1]), to)


def _last_column(name: str, runs: list[Run]) -> Column:
    return metric_column(name, [last_text(run, name) for run in runs])


def named_in_full(made: Column, title: str, is_ambiguous: bool, whole: bool = False) -> Column:
    """Give a column the name with its family where another has the same short one."""
    return (
        made._replace(title=column(title, [], limit=WHOLE if whole else _TITLE_LIMIT).title) if is_ambiguous else made
    )


def standing_that_fit(fixed: list[Column], to: Screen, wide: bool = False) -> list[Column]:
    """Leave out, on a very narrow screen, the last of the columns that are else always there; never status and id."""
    return fixed if wide else fixed[: max(fitting(fixed, to.columns), 2)]


def hidden_line(params: int, metrics: int, to: Screen, choose: str = "--columns a,b chooses") -> list[str]:
    """Say how many columns are hidden and how to see them."""
    hidden = [values.count(number, noun) for number, noun in ((params, "param"), (metrics, "metric")) if number]
    many = params + metrics != 1
    if not hidden:
        return []
    told = f"{' and '.join(hidden)} {'do' if many else 'does'} not fit: --wide shows all, {choose}."
    return wrap(told.split(" "), to.columns)


def varying_params(runs: list[Run]) -> list[str]:
    """Give the params that are not the same in all of the runs; all of them where there is one run only."""
    flats = [run.flat_params for run in runs]
    keys = dict.fromkeys(key for flat in flats for key in flat)
    if len(runs) == 1:
        return list(keys)
    return [key for key in keys if len({_told(flat, key) for flat in flats}) > 1]


def _told(flat: dict[str, Any], key: str) -> tuple[str, str]:
    """Give a value as text with its type: 1 and 1.0 differ."""
    return (type(flat[key]).__name__, values.param(flat[key])) if key in flat else ("", "")


def metric_names(runs: list[Run]) -> list[str]:
    """Give the metrics of the runs in the order first logged."""
    return list(dict.fromkeys(name for run in runs for name in run.metrics))


def param_column(key: str, runs: list[Run], whole: bool = False) -> Column:
    """Make the column of a param; numbers stand to the right."""
    found = [run.flat_params.get(key, MISSING) for run in runs]
    texts = ["-" if value is MISSING else param_text(value) for value in found]
    right = all(value is MISSING or isinstance(value, int | float) for value in found)
    return titled(key, texts, right=right, whole=whole)


def param_text(value: Any) -> str:
    """Render a param in few characters: a float's digits beyond the sixth are noise in a table."""
    return f"{value:.6g}" if isinstance(value, float) and value - value == 0 else values.param(value)


def last_text(run: Run, name: str) -> str:
    """Render the last value of a metric of a run."""
    if name not in run.metrics:
        return "-"
    ranks = run.metrics.ranks(name)
    return f"{len(ranks)} ranks" if len(ranks) > 1 else values.number(run.metrics[name].last)


def metric_column(name: str, texts: list[str], styles: list[str] | None = None) -> Column:
    """Make the column of a metric."""
    return titled(name, points_aligned(texts), right=True, styles=styles)


def points_aligned(texts: list[str], marks: list[str] | None = None) -> list[str]:
    """Pad numbers so that, set to the right, their decimal points stand under each other. A mark follows its number at once."""
    decimals = [len(text.partition(".")[2]) if "e" not in text else 0 for text in texts]
    most = max(decimals, default=0)
    blanks = [" " * (most - own) if own else "" for own in decimals]
    return [text + mark + blank for text, mark, blank in zip(texts, marks or [""] * len(texts), blanks, strict=True)]


def titled(
    title: str, texts: list[str], right: bool, styles: list[str] | None = None, *, whole: bool = False
) -> Column:
    """Make a column whose cells are short and whose title may be a little longer; `whole` cuts nothing."""
    limit = WHOLE if whole else _NUMBER_LIMIT if right else _CELL_LIMIT
    made = column(title, texts, limit=limit, right=right, styles=styles)
    return made._replace(title=column(title, [], limit=WHOLE if whole else _TITLE_LIMIT).title)
