"""Render any fields of runs as columns: those that a user named, or all of them for CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runfolio.cli.facts import Facts, facts_of
from runfolio.cli.fields import MISSING, find, lookup
from runfolio.cli.render import values
from runfolio.cli.render.runs import param_text, titled
from runfolio.cli.render.spreadsheet import csv_text
from runfolio.cli.render.table import WHOLE, Column, column
from runfolio.model.params import flatten

if TYPE_CHECKING:
    from runfolio.query.run import Run

_LEADING = (
    "id",
    "name",
    "experiment",
    "status",
    "created",
    "started",
    "ended",
    "duration_s",
    "lost_points",
    "tags",
    "notes",
)


def chosen_columns(runs: list[Run], paths: list[str], whole: bool = False) -> tuple[list[Column], list[str]]:
    """Make a column for each named field; say which names no run knows.

    Args:
        whole: cut no text.
    """
    facts = [facts_of(run) for run in runs]
    columns, unknown = [], []
    for path in paths:
        found = [find(one, path) for one in facts]
        if all(value is MISSING for value in found):
            unknown.append(path)
            continue
        right = all(value is MISSING or value is None or isinstance(value, int | float) for value in found)
        texts = [_text(path, value, one) for value, one in zip(found, facts, strict=True)]
        columns.append(column(path, texts, limit=WHOLE, right=right) if whole else titled(path, texts, right))
    return columns, unknown


def _text(path: str, value: Any, facts: Facts) -> str:
    if value is MISSING or value is None:
        return "-"
    is_metric = lookup(facts["params"], path) is MISSING and not path.startswith("params.")
    if isinstance(value, float) and is_metric:
        return values.number(value)
    return tags_text(value) if path == "tags" else param_text(value)


def tags_text(tags: dict[str, str]) -> str:
    """Render tags as they are typed: `baseline, team=ml`."""
    return ", ".join(f"{key}={value}" if value else key for key, value in tags.items())


def csv_of_runs(runs: list[Run], paths: list[str] | None, spreadsheet: bool) -> str:
    """Render runs as CSV: the named fields, or the leading ones, params, last metrics and summaries."""
    facts = [facts_of(run) for run in runs]
    if paths is None:
        rows = [_row(one) for one in facts]
        titles = [*_LEADING, *dict.fromkeys(title for row in rows for title in row if title not in _LEADING)]
        titles.sort(key=_family)
    else:
        titles = ["id", *(path for path in paths if path != "id")]
        rows = [{path: _plain(path, find(one, path)) for path in titles} for one in facts]
    return csv_text(titles, ([row.get(title) for title in titles] for row in rows), spreadsheet)


def _row(facts: Facts) -> Facts:
    row = {name: _plain(name, facts[name]) for name in _LEADING}
    row.update({f"params.{key}": value for key, value in facts["params"].items()})
    row.update({f"metrics.{name}": metric["last"] for name, metric in facts["metrics"].items()})
    row.update({f"summary.{key}": value for key, value in flatten(facts["summary"]).items()})
    return row


def _plain(path: str, value: Any) -> Any:
    if value is MISSING:
        return None
    return tags_text(value) if path == "tags" else value


def _family(title: str) -> int:
    """Keep the columns of a family together: params, metrics, summaries, each in the order first seen."""
    families = ("params.", "metrics.", "summary.")
    return next((number for number, family in enumerate(families, 1) if title.startswith(family)), 0)
