"""Runs as JSON: one document, or a line for each run.

Strict JSON. In `values` every text is a number that JSON does not know: "NaN", "Infinity", "-Infinity". Elsewhere `nonfinite` has the paths of such.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from runfolio._version import __version__
from runfolio.model.strict_json import dumps_view, view
from runfolio.store.points import Merged
from runfolio.store.summary import number

if TYPE_CHECKING:
    from runfolio.query.points import Part
    from runfolio.query.run import Run

FORMAT = 1
Series = Callable[["Run"], Iterable["Part"]]


def write_document(file: TextIO, runs: Iterable[Run], series: Series) -> None:
    """Write one JSON document: {"format": 1, "runfolio": version, "runs": [one object for each, on its own line]}."""
    file.write(f'{{"format": {FORMAT}, "runfolio": {json.dumps(__version__)}, "runs": [')
    for place, run in enumerate(runs):
        file.write(",\n" if place else "\n")
        file.writelines(_pieces(run, series(run)))
    file.write("\n]}\n")


def write_lines(file: TextIO, runs: Iterable[Run], series: Series) -> None:
    """Write the same object on a line for each run."""
    for run in runs:
        file.writelines(_pieces(run, series(run)))
        file.write("\n")


def about(run: Run) -> dict[str, Any]:
    """Say what is known of a run besides its points, ready for strict JSON."""
    state = run.state
    told = {
        "id": run.id,
        "name": run.name,
        "aliases": run.aliases,
        "experiment": run.experiment,
        "status": run.status,
        "reason": run.status_reason,
        "created": moment(run.created),
        "started": moment(run.started),
        "ended": moment(run.ended),
        "duration_s": run.duration_s,
        "attempts": run.attempt_count,
        "exit_code": run.exit_code,
        "archived": run.archived,
        "params": run.flat_params,
        "tags": run.tags,
        "notes": run.notes,
        "summary": run.summary,
        "goals": run.goals,
        "total_steps": run.total_steps,
        "lost_points": run.lost_points,
        "warnings": run.warnings,
        "error": state.error._asdict() if state.error else None,
        "artifacts": [one._asdict() for one in state.artifacts],
        "data": [one._asdict() for one in state.data],
        "records": [one._asdict() for one in state.records],
        "captured": dict(state.capture),
    }
    ready, paths = view(told)
    return {**ready, "nonfinite": paths}


def moment(when: datetime | None) -> str | None:
    """Render a time as ISO 8601 in UTC, to the microsecond."""
    return None if when is None else f"{when.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _pieces(run: Run, parts: Iterable[Part]) -> Iterator[str]:
    """Yield the text of a run's object; one series at a time is in memory as text."""
    yield f'{dumps_view(about(run))[:-1]},"metrics":{{'
    for place, (metric, several) in enumerate(groupby(parts, key=lambda part: part.metric)):
        yield f"{',' if place else ''}{dumps_view(metric)}:["
        for at, part in enumerate(several):
            rank = "null" if part.rank is None else str(part.rank)
            yield f'{"," if at else ""}{{"rank":{rank},{_series(part.points)}}}'
        yield "]"
    yield "}}"


def _series(points: Merged) -> str:
    steps: list[int | None] = points.steps.tolist()
    if points.final.any():
        steps = [None if final else step for step, final in zip(steps, points.final.tolist(), strict=True)]
    return f'"steps":{json.dumps(steps)},"values":{_values(points)},"times_ns":{json.dumps(points.times_ns.tolist())}'


def _values(points: Merged) -> str:
    values = logged(points)
    try:
        return json.dumps(values, allow_nan=False)
    except ValueError:
        return dumps_view(view(values)[0])


def logged(points: Merged) -> list[Any]:
    """Give the values as they were logged: ints, bools and floats."""
    kinds = points.kinds
    if not len(kinds) or bool((kinds == kinds[0]).all()):
        kind = chr(kinds[0]) if len(kinds) else "f"
        types: dict[str, Any] = {"f": np.float64, "i": np.int64, "b": np.bool_}
        found: list[Any] = points.values.astype(types[kind]).tolist()
        return found
    return [number(value, chr(kind)) for value, kind in zip(points.values.tolist(), kinds.tolist(), strict=True)]
