"""Render runs in groups that have the same values of some params: how many, and the mean of the last value of each metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runfolio.cli.render import values
from runfolio.cli.render.runs import metric_names, param_text, points_aligned, titled
from runfolio.cli.render.table import Column, column
from runfolio.query.param_key import param_key

if TYPE_CHECKING:
    from runfolio.query.run import Run

Group = tuple[tuple[Any, ...], list["Run"]]


def keys_of(runs: list[Run], names: list[str]) -> list[str]:
    """Find params by the names that were typed.

    Raises:
        NotFound: no run has one of them.
    """
    known = list(dict.fromkeys(key for run in runs for key in run.flat_params))
    return list(dict.fromkeys(param_key(name, known) for name in names)) if runs else names


def groups_of(runs: list[Run], params: list[str]) -> list[Group]:
    """Gather runs by the values of params, in the order first seen."""
    found: dict[tuple[str, ...], Group] = {}
    for run in runs:
        told = tuple(run.flat_params.get(key) for key in params)
        found.setdefault(tuple(map(repr, told)), (told, []))[1].append(run)
    return list(found.values())


def group_columns(groups: list[Group], params: list[str], whole: bool = False) -> list[Column]:
    """Make the columns of a listing of groups; `whole` cuts no text."""
    runs = [run for _, members in groups for run in members]
    columns = []
    for place, key in enumerate(params):
        told = [group[0][place] for group in groups]
        right = all(value is None or isinstance(value, int | float) for value in told)
        columns.append(titled(key, ["-" if value is None else param_text(value) for value in told], right, whole=whole))
    columns.append(column("runs", [str(len(members)) for _, members in groups], right=True))
    for name in metric_names(runs):
        means = [mean_of_last(members, name) for _, members in groups]
        texts = ["-" if mean is None else values.number(mean) for mean in means]
        columns.append(titled(f"mean {name}", points_aligned(texts), right=True, whole=whole))
    return columns


def group_facts(groups: list[Group], params: list[str]) -> list[dict[str, Any]]:
    """Give the groups in plain values."""
    return [
        {
            "params": dict(zip(params, told, strict=True)),
            "runs": [run.id for run in members],
            "metrics": {name: mean_of_last(members, name) for name in metric_names(members)},
        }
        for told, members in groups
    ]


def mean_of_last(runs: list[Run], name: str) -> float | None:
    """Give the mean of the last values of a metric; NaN, and runs without it or with several ranks, are left out."""
    lasts = [run.metrics[name].last for run in runs if name in run.metrics and len(run.metrics.ranks(name)) == 1]
    known = [float(value) for value in lasts if value is not None and value == value]
    return sum(known) / len(known) if known else None
