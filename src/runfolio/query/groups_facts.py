"""Groups over seeds and what came out of comparing them, in plain values: what `runfolio stats --json` prints and the server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runfolio.query.groups import Group, Groups
    from runfolio.query.statistics.describe import Interval
    from runfolio.query.statistics.pairs import Pair


def groups_facts(found: Groups) -> dict[str, Any]:
    """Give groups and comparisons in plain values."""
    return {
        "metric": found.metric,
        "goal": found.goal,
        "at": found.at,
        "by": found.by,
        "over": found.over,
        "over_found": found.over_found,
        "inside": found.inside,
        "groups": [_group_facts(group) for group in found.groups],
        "comparisons": [_pair_facts(pair) for pair in found.pairs],
        "corrected_for": found.comparisons,
        "uncompared": found.uncompared,
        "left_out": {reason: [run.id for run in runs] for reason, runs in found.left_out.items()},
        "told": {reason: [run.id for run in runs] for reason, runs in found.told.items()},
    }


def _group_facts(group: Group) -> dict[str, Any]:
    told = group.description
    return {
        "params": group.params,
        "n": told.n,
        "nan": told.nans,
        "infinite": told.infinite,
        "values": told.values.tolist(),
        **{name: getattr(told, name) for name in ("mean", "sd", "median", "iqm")},
        "interval": _interval_facts(told.interval),
        "best": told.best,
        "worst": told.worst,
        "runs": [run.id for run in group.runs],
    }


def _interval_facts(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else {"low": interval.low, "high": interval.high, "method": interval.method}


def _pair_facts(pair: Pair) -> dict[str, Any]:
    found, verdict = pair.difference, pair.verdict
    return {
        "a": pair.a,
        "b": pair.b,
        "verdict": verdict.word,
        "more_seeds": verdict.more_seeds,
        "text": verdict.text,
        "difference": found.value,
        "interval": _interval_facts(found.interval),
        "n_a": found.n_a,
        "n_b": found.n_b,
        "paired": found.paired,
        "test": found.test,
        "p": found.p,
        "p_cautious": found.p_cautious,
        "p_holm": verdict.p,
        "effect": found.effect,
        "effect_name": found.effect_name,
    }
