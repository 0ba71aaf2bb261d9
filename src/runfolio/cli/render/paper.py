"""Render a table for a paper: as text, Markdown, LaTeX, CSV and plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runfolio.cli.render.forms import latex_text, markdown_text
from runfolio.cli.render.runs import param_text
from runfolio.cli.render.screen import BOLD, Screen
from runfolio.cli.render.spreadsheet import csv_text
from runfolio.cli.render.table import column, plain_table
from runfolio.cli.render.text import wrap
from runfolio.query.paper import MISSING

if TYPE_CHECKING:
    from runfolio.query.digits import Shown
    from runfolio.query.paper import Cell, PaperTable

_MARK, _NONE, _WIDE = "*", "-", 200
OF_NUMBERS = "mean and 95 % interval (number of runs)"
OF_BOLD = "the best of a column, and what is not significantly different from it (Holm)"


def text_lines(table: PaperTable, to: Screen) -> list[str]:
    """Render it for a person: what is best has a mark."""
    columns = [column(key, _labels(table, at), right=_is_number(table, at)) for at, key in enumerate(table.rows)]
    for at, head in enumerate(table.columns):
        cells = [line.cells[at] for line in table.lines]
        texts = [f"{cell.text}{_MARK if cell.is_best else ' '}" if cell else f"{_NONE} " for cell in cells]
        styles = [BOLD if cell and cell.is_best else "" for cell in cells]
        columns.append(column(f"{head.title} ", texts, limit=_WIDE, right=True, styles=styles))
    told = [f"{OF_NUMBERS}; {_MARK} {OF_BOLD}", *(f"! {one}" for one in table.notes())]
    return [*plain_table(columns, to), *(line for one in told for line in wrap(one.split(), to.columns))]


def _labels(table: PaperTable, at: int) -> list[str]:
    return [_NONE if line.labels[at] is MISSING else param_text(line.labels[at]) for line in table.lines]


def _is_number(table: PaperTable, at: int) -> bool:
    return all(line.labels[at] is MISSING or isinstance(line.labels[at], int | float) for line in table.lines)


def _rows(table: PaperTable) -> list[tuple[list[str], list[Cell | None]]]:
    labels = [_labels(table, at) for at in range(len(table.rows))]
    return [([column[at] for column in labels], line.cells) for at, line in enumerate(table.lines)]


# ---------------------------------------------------------------------------------------------------------- Markdown


def paper_markdown(table: PaperTable) -> list[str]:
    """Render it as a table of GitHub's Markdown."""
    heads = [*table.rows, *(one.title for one in table.columns)]
    rules = ["--:" if _is_number(table, at) else "---" for at in range(len(table.rows))]
    lines = [[_escaped(one) for one in heads], rules + ["--:"] * len(table.columns)]
    lines += [[*map(_escaped, labels), *map(_markdown_cell, cells)] for labels, cells in _rows(table)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _escaped(text: str) -> str:
    """Keep text from being read as Markdown, and on its line."""
    return markdown_text(" ".join(text.split())) or _NONE


def _markdown_cell(cell: Cell | None) -> str:
    if cell is None or not cell.n:
        return _NONE
    numbers, _, n = cell.text.rpartition(" ")
    return f"**{numbers}** {n}" if cell.is_best else cell.text


# ------------------------------------------------------------------------------------------------------------- LaTeX


def paper_latex(table: PaperTable) -> list[str]:
    """Render it as a LaTeX tabular, for the package booktabs."""
    spec = "".join("r" if _is_number(table, at) else "l" for at in range(len(table.rows))) + "r" * len(table.columns)
    heads = " & ".join(_latex_label(one) for one in (*table.rows, *(head.title for head in table.columns)))
    body = [" & ".join([*map(_latex_label, labels), *map(_latex_cell, cells)]) for labels, cells in _rows(table)]
    lines = [f"{heads} \\\\", "\\midrule", *(f"{line} \\\\" for line in body)]
    return [f"\\begin{{tabular}}{{{spec}}}", "\\toprule", *lines, "\\bottomrule", "\\end{tabular}"]


def _latex_label(text: str) -> str:
    return latex_text(" ".join(text.split())) or _NONE


def _latex_cell(cell: Cell | None) -> str:
    if cell is None or not cell.n:
        return _NONE
    return f"{', '.join(_latex_number(one, cell.is_best) for one in cell.shown)} ({cell.n})"


def _latex_number(one: Shown, is_best: bool) -> str:
    mean, *rest = one.numbers
    text = mean if not rest else f"{mean} \\pm {rest[0]}" if len(rest) == 1 else f"{mean}\\ [{', '.join(rest)}]"
    if one.exponent:
        text = f"{f'({text})' if rest else text} \\times 10^{{{one.exponent}}}"
    return f"$\\mathbf{{{text}}}$" if is_best else f"${text}$"


# ------------------------------------------------------------------------------------------------------ for programs


def paper_facts(table: PaperTable) -> dict[str, Any]:
    """Give a table in plain values."""
    return {
        "rows": [_line_facts(table, at) for at in range(len(table.lines))],
        "columns": [
            {
                "title": one.title,
                "metric": one.metric,
                "goal": one.groups and one.groups.goal,
                "at": one.groups and one.groups.at,
            }
            for one in table.columns
        ],
        "notes": table.notes(),
    }


def _line_facts(table: PaperTable, at: int) -> dict[str, Any]:
    line = table.lines[at]
    params = {key: value for key, value in zip(table.rows, line.labels, strict=True) if value is not MISSING}
    return {"params": params, "cells": [_cell_facts(cell) for cell in line.cells]}


def _cell_facts(cell: Cell | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    told = cell.group.description
    ends = (
        {"low": told.interval.low, "high": told.interval.high, "interval": told.interval.method}
        if told.interval
        else {}
    )
    return {
        "text": cell.text,
        "best": cell.is_best,
        "n": cell.n,
        "mean": told.mean,
        **(ends or dict.fromkeys(("low", "high", "interval"))),
        "values": told.values.tolist(),
        "runs": [run.id for run in cell.group.runs],
    }


_OF_CELL = ("mean", "low", "high", "n", "best")


def paper_csv(table: PaperTable, spreadsheet: bool) -> str:
    """Give a table as CSV: a row for each row, and for each column the mean, the ends of its interval, how many runs, whether best."""
    titles = [f"params.{key}" for key in table.rows]
    titles += [f"{head.title} {name}" for head in table.columns for name in _OF_CELL]
    rows = []
    for line in table.lines:
        cells = [_cell_facts(cell) or {} for cell in line.cells]
        labels = [None if label is MISSING else label for label in line.labels]
        rows.append([*labels, *(cell.get(name) for cell in cells for name in _OF_CELL)])
    return csv_text(titles, rows, spreadsheet)
