"""Say what is known of a run in plain values, in a stable order, times in words: what `--json` prints and `get` looks into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from runfolio.cli.render.values import utc
from runfolio.query import facts
from runfolio.query.facts import METRIC_FIELDS, Facts

if TYPE_CHECKING:
    from runfolio.query.run import Run

__all__ = ["METRIC_FIELDS", "Facts", "all_facts_of", "facts_of"]


def facts_of(run: Run, metrics: Iterable[str] | None = None) -> Facts:
    """Give what the index knows: an object of `runfolio list --json`.

    Args:
        metrics: only these; None for all.
    """
    return facts.facts_of(run, utc, metrics)


def all_facts_of(run: Run, metrics: Iterable[str] | None = None) -> Facts:
    """Give also what only the journals tell: an object of `runfolio show --json`, but for its rows."""
    return facts.all_facts_of(run, utc, metrics)
