"""Find the runs that are equal but for the seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runfolio.query.circumstances import is_seed
from runfolio.query.packed import packed
from runfolio.query.run import Run
from runfolio.store.run_row import to_json


def siblings(run: Run, among: Sequence[Run]) -> list[Run]:
    """Give the runs of the same experiment whose params are the same but for the seed, itself among them, by seed.

    Cost: the params of most are not parsed: they are packed alike, so the text of each of ours must stand in theirs.
    """
    ours = _without_seed(run)
    if len(ours) == len(run.flat_params):
        return [run]  # no seed: the same again, or something else that is not told by params
    wanted = [f"{to_json(key)}:{to_json(value)}" for key, value in ours.items()]
    theirs = [one for one in among if one.experiment == run.experiment]
    alike = [one for one, text in zip(theirs, packed(theirs, "params"), strict=True) if _may_hold(text, wanted)]
    found = [one for one in alike if to_json(_without_seed(one)) == to_json(ours)]
    return sorted(found, key=lambda one: (_seed_of(one), one.id)) or [run]


def differing(run: Run, others: Iterable[Run]) -> list[str]:
    """Give the params in which a run differs from any of the others."""
    theirs = [one.flat_params for one in others]
    return [key for key, value in run.flat_params.items() if any(one.get(key) != value for one in theirs)]


def _without_seed(run: Run) -> dict[str, Any]:
    return {key: value for key, value in sorted(run.flat_params.items()) if not is_seed(key)}


def _may_hold(text: str | None, wanted: list[str]) -> bool:
    return text is not None and all(one in text for one in wanted)


def _seed_of(run: Run) -> list[tuple[int, float, str]]:
    return [_order(value) for key, value in sorted(run.flat_params.items()) if is_seed(key)]


def _order(value: Any) -> tuple[int, float, str]:
    """Sort numbers by size, before text."""
    is_number = isinstance(value, int | float) and value == value
    return (0, float(value), "") if is_number and abs(value) < 1e300 else (1, 0.0, str(value))
