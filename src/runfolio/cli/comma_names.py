"""Read names of params and metrics that were typed with commas between them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.query.run import Run


def comma_names(told: str, known: Container[str]) -> list[str]:
    """Give the names; one that holds commas itself may stand alone, with the prefix of its family or without."""
    bare = told.removeprefix("params.").removeprefix("metrics.")
    if "," in told and (told in known or bare in known):
        return [told]
    return [name.strip() for name in told.split(",") if name.strip()]


def params_of(runs: Iterable[Run]) -> set[str]:
    """Give the keys of all params that runs have."""
    return {key for run in runs for key in run.flat_params}
