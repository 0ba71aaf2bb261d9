"""Say what is known of a run in plain values, in a stable order; the caller says how a time is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from runfolio.query.run import moment

if TYPE_CHECKING:
    from runfolio.model.run_state import Attempt
    from runfolio.query.metrics import MetricSummary
    from runfolio.query.run import Run

Facts = dict[str, Any]
When = Callable[[datetime | None], Any]
"""Tells a time: as text, as ms since 1970."""

METRIC_FIELDS = (
    "last",
    "min",
    "max",
    "mean",
    "first",
    "count",
    "nan_count",
    "step_of_min",
    "step_of_max",
    "first_step",
    "last_step",
)
"""What a metric is told in; each is an attribute of `MetricSummary` of the same name."""


def facts_of(run: Run, when: When, metrics: Iterable[str] | None = None) -> Facts:
    """Give what the index knows.

    Args:
        metrics: only these; None for all.
    """
    return {
        "id": run.id,
        "name": run.name,
        "experiment": run.experiment,
        "status": run.status,
        "reason": run.status_reason,
        "since": when(run.since),
        "params": run.flat_params,
        "tags": run.tags,
        "metrics": {name: metric_facts(run, name) for name in (run.metrics if metrics is None else metrics)},
        "summary": run.summary,
        "notes": run.notes,
        "created": when(run.created),
        "started": when(run.started),
        "ended": when(run.ended),
        "duration_s": round(run.duration_s, 3),
        "attempts": run.attempt_count,
        "exit_code": run.exit_code,
        "goals": run.goals,
        "total_steps": run.total_steps,
        "lost_points": run.lost_points,
        "warnings": run.warnings,
        "spooled_in": run.spooled_in,
        "copy_of": run.copy_of,
        "aliases": run.aliases,
        "archived": run.archived,
        "deleted": run.deleted,
    }


def metric_facts(run: Run, name: str) -> Facts:
    """Give a metric in numbers. Where several ranks have it: over all of them, without first and last, and `ranks` by rank."""
    ranks = run.metrics.ranks(name)
    summaries = [run.metrics.rank(name, rank) for rank in ranks]
    if len(ranks) == 1:
        return _metric(summaries[0])
    each = {"none" if rank is None else str(rank): _metric(one) for rank, one in zip(ranks, summaries, strict=True)}
    return {**_over_ranks(summaries), "ranks": each}


def _metric(one: MetricSummary) -> Facts:
    return {name: getattr(one, name) for name in METRIC_FIELDS}


def _over_ranks(summaries: list[MetricSummary]) -> Facts:
    known = [one for one in summaries if one.count]
    low = min(known, key=lambda one: one.min or 0, default=None)
    high = max(known, key=lambda one: one.max or 0, default=None)
    count = sum(one.count for one in known)
    return {
        "last": None,
        "min": low and low.min,
        "max": high and high.max,
        "mean": sum((one.mean or 0.0) * one.count for one in known) / count if count else None,
        "first": None,
        "count": count,
        "nan_count": sum(one.nan_count for one in summaries),
        "step_of_min": low and low.step_of_min,
        "step_of_max": high and high.step_of_max,
        "first_step": None,
        "last_step": None,
    }


def all_facts_of(run: Run, when: When, metrics: Iterable[str] | None = None) -> Facts:
    """Give also what only the journals tell."""
    state = run.state

    def timed(fact: NamedTuple, name: str = "time") -> Facts:
        facts = fact._asdict()
        time_ns = facts.pop(f"{name}_ns")
        return {**facts, name: when(moment(time_ns))}

    def attempt(one: Attempt) -> Facts:
        facts = one._asdict()
        facts["started"], facts["ended"] = when(moment(facts.pop("started_ns"))), when(moment(facts.pop("ended_ns")))
        facts["error"] = one.error._asdict() if one.error else None
        return facts

    return {
        **facts_of(run, when, metrics),
        "folder": run.folder,
        "progress": run.progress._asdict(),
        "history": [attempt(one) for one in state.attempts],
        "error": state.error._asdict() if state.error else None,
        "lost": {**timed(state.lost, "since"), "causes": list(state.lost.causes)},
        "params_by_attempt": {
            key: {str(attempt): value for attempt, value in by.items()} for key, by in state.params_by_attempt.items()
        },
        "conflicts": [one._asdict() for one in state.conflicts],
        "artifacts": [timed(one) for one in state.artifacts],
        "data": [timed(one) for one in state.data],
        "capture": dict(state.capture),
        "records": [timed(one) for one in state.records],
        "views": [{"format": one.what, "path": one.path, "options": one.options} for one in state.views],
        "sinks": [{"kind": one.what, "options": one.options} for one in state.sinks],
        "sent": [one._asdict() for one in state.sent],
        "output": dict(state.output),
    }
