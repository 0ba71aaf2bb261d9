"""Name curves by what tells their runs apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runfolio.model.ids import short
from runfolio.model.names import printable

if TYPE_CHECKING:
    from runfolio.query.run import Run

_LONGEST = 48
_VALUE_MAX = 24
_MISSING = object()


def frozen(value: Any) -> tuple[str, str]:
    """Give what tells values of params apart: 1, 1.0 and True differ."""
    return type(value).__name__, repr(value)


def run_labels(runs: Sequence[Run]) -> list[str]:
    """Label each run by the params that differ; by its name or id where none do, or too many. No two are the same."""
    flats = [run.flat_params for run in runs]
    keys = dict.fromkeys(key for flat in flats for key in flat)
    differing = [key for key in keys if len({frozen(flat.get(key, _MISSING)) for flat in flats}) > 1]
    labels = [params_label({key: flat[key] for key in differing if key in flat}) for flat in flats]
    if len(runs) == 1 or max(map(len, labels), default=0) > _LONGEST:
        labels = ["" for _ in runs]
    labels = [label or _name(run) for label, run in zip(labels, runs, strict=True)]
    return [
        label if labels.count(label) == 1 or label == short(run.id) else f"{label} {short(run.id)}"
        for label, run in zip(labels, runs, strict=True)
    ]


def params_label(params: Mapping[str, Any], lacking: Sequence[str] = ()) -> str:
    """Render params as `lr=0.1 width=64`, those that are lacking as `no opt`; the last part of a dotted key, where that is unique."""
    keys = [*params, *lacking]
    ends = [key.rpartition(".")[2] for key in keys]
    names = [printable(end if ends.count(end) == 1 else key) for end, key in zip(ends, keys, strict=True)]
    told = [f"{name}={_value(value)}" for name, value in zip(names, params.values(), strict=False)]
    return " ".join(told + [f"no {name}" for name in names[len(told) :]])


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else "none" if value is None else repr(value)
    return printable({"True": "true", "False": "false"}.get(text, text), _VALUE_MAX)


def _name(run: Run) -> str:
    return printable(run.name, _LONGEST) if run.name else short(run.id)
