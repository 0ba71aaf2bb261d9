"""What came out of comparing two runs, in plain values: what `runfolio diff --json` prints and the server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runfolio.query.diff import Diff
    from runfolio.query.parting import MetricDiff
    from runfolio.query.run import Run

Facts = dict[str, Any]


def diff_facts(found: Diff) -> Facts:
    """Give a comparison of two runs in plain values."""
    return {
        "a": run_facts(found.a),
        "b": run_facts(found.b),
        "same_run": found.is_same_run,
        "words": found.words(),
        "changes": {section: [one._asdict() for one in ones] for section, ones in found.changes.items()},
        "same": found.same,
        "unknown": found.unknown,
        "code": {
            "files": [{"path": one.path, "change": one.kind, "diff": one.lines} for one in found.code.files],
            "notes": found.code.notes,
            "command": found.code.command,
        },
        "metrics": [_metric_facts(one) for one in found.metrics],
        "equal_metrics": [title_of(one) for one in found.equal_metrics],
    }


def run_facts(run: Run) -> Facts:
    """Say which run it is."""
    return {"id": run.id, "name": run.name, "experiment": run.experiment, "status": run.status}


def _metric_facts(one: MetricDiff) -> Facts:
    parting = {**one.parting._asdict(), "difference": one.parting.difference} if one.parting else None
    return {
        "name": one.name,
        "rank": one.rank,
        "goal": one.goal,
        "last": list(one.last),
        "best": list(one.best),
        "points": list(one.points),
        "common": one.common,
        "differing": one.differing,
        "parting": parting,
    }


def title_of(one: MetricDiff) -> str:
    """Name a metric, with its rank where there are several."""
    return one.name if one.rank is None else f"{one.name} rank {one.rank}"
