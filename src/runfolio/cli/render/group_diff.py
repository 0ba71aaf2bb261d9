"""Render what differs between two groups of runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from runfolio.cli.render import values
from runfolio.cli.render.diff import (
    KEY_MAX,
    WHOLE,
    difference,
    section_lines,
    sentence,
    value_text,
)
from runfolio.cli.render.runs import param_text, points_aligned
from runfolio.cli.render.screen import BOLD, Screen
from runfolio.cli.render.spreadsheet import csv_text
from runfolio.cli.render.table import Column, column, plain_table
from runfolio.cli.render.text import pad, shorten, width
from runfolio.query.circumstances import SECTIONS
from runfolio.query.group_diff import MISSING, Counted, GroupDiff, Spread
from runfolio.query.group_diff_facts import counts_of

if TYPE_CHECKING:
    from runfolio.query.group_diff import MetricSpread

_VALUES_MAX, _VALUE_MAX = 4, 60


def group_lines(found: GroupDiff, to: Screen, everything: bool) -> list[str]:
    """Render a comparison of two groups."""
    told = [line for one in found.words() for line in sentence(one, to)]
    for title, sections in (("differs between all of A and all of B", found.between), ("varies inside", found.inside)):
        spreads = [one for section in SECTIONS for one in sections.get(section, [])]
        told += section_lines(title, list(_spread_lines(spreads, everything)), to, everything)
    if found.metrics:
        table = plain_table(_spread_columns(found.metrics), to)
        told += ["", to.paint("metrics, the mean of the last values", BOLD), *(f"  {line}" for line in table)]
    return told


def _spread_lines(spreads: list[Spread], everything: bool) -> Iterator[str]:
    names = [shorten(one.key, WHOLE if everything else KEY_MAX) for one in spreads]
    wide = max(map(width, names), default=0)
    for name, one in zip(names, spreads, strict=True):
        a, b = (_values(counted, everything, one.key) for counted in (one.a, one.b))
        yield f"  {pad(name, wide)}  {a}  |  {b}"


def _values(counted: Counted, everything: bool, key: str) -> str:
    kept = counted if everything else counted[:_VALUES_MAX]
    told = [_value(value, count, len(counted) > 1, key) for value, count in kept]
    more = f" and {len(counted) - len(kept)} more" if len(kept) < len(counted) else ""
    return ", ".join(told) + more


def _value(value: Any, count: int, counts: bool, key: str) -> str:
    if value is MISSING:
        text = "none"
    elif key == "patch":
        text = "a patch" if value else "clean"
    else:
        told = value_text("", key, value) if not isinstance(value, float) else param_text(value)
        text = shorten(told, _VALUE_MAX)
    return f"{text} ×{count}" if counts and count > 1 else text


def _spread_columns(metrics: list[MetricSpread]) -> list[Column]:
    made = [column("metric", [one.name for one in metrics], limit=KEY_MAX)]
    for name, told in (("A", [one.a for one in metrics]), ("B", [one.b for one in metrics])):
        texts = [values.number(float(of.mean())) if len(of) else "-" for of in told]
        made.append(Column(f"{name} (n)", [f"{text} ({len(of)})" for text, of in zip(texts, told, strict=True)], True))
    signed = [difference((0.0, one.difference)) if one.difference is not None else "-" for one in metrics]
    made.append(Column("B - A", points_aligned(signed), True))
    ranges = [f"{one.interval.low:.3g} … {one.interval.high:.3g}" if one.interval else "-" for one in metrics]
    made.append(Column("95 % interval", ranges))
    apart = ["-" if one.apart_from is None else f"from step {one.apart_from:,}" for one in metrics]
    return [*made, Column("all apart", apart)]


def group_csv(found: GroupDiff, spreadsheet: bool) -> str:
    """Give a comparison of two groups as CSV: a row for each fact that is not the same everywhere."""
    sorted_in = (("between", found.between), ("inside", found.inside))
    told = ((where, name, one) for where, sections in sorted_in for name, ones in sections.items() for one in ones)
    rows = ([name, one.key, where, counts_of(one.a), counts_of(one.b)] for where, name, one in told)
    return csv_text(["section", "key", "where", "a", "b"], rows, spreadsheet)
