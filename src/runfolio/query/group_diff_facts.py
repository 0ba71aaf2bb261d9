"""What came out of comparing two groups of runs, in plain values: what `runfolio diff --json` prints of them."""

from __future__ import annotations

from typing import Any

from runfolio.query.diff_facts import run_facts
from runfolio.query.group_diff import MISSING, Counted, GroupDiff, Spread

Facts = dict[str, Any]


def group_facts(found: GroupDiff) -> Facts:
    """Give a comparison of two groups in plain values."""
    return {
        "a": [run_facts(run) for run in found.a],
        "b": [run_facts(run) for run in found.b],
        "both": found.both,
        "words": found.words(),
        "between": {section: [_spread_facts(one) for one in ones] for section, ones in found.between.items()},
        "inside": {section: [_spread_facts(one) for one in ones] for section, ones in found.inside.items()},
        "unknown": {section: list(counts) for section, counts in found.unknown.items()},
        "metrics": [
            {
                "name": one.name,
                "goal": one.goal,
                "a": one.a.tolist(),
                "b": one.b.tolist(),
                "difference": one.difference,
                "interval": one.interval and [one.interval.low, one.interval.high],
                "apart_from": one.apart_from,
            }
            for one in found.metrics
        ],
    }


def _spread_facts(one: Spread) -> Facts:
    return {"key": one.key, "a": counts_of(one.a), "b": counts_of(one.b)}


def counts_of(counted: Counted) -> list[Facts]:
    """Give each value with how many runs have it; one that is missing has no `value`."""
    return [{"runs": count} if value is MISSING else {"value": value, "runs": count} for value, count in counted]
