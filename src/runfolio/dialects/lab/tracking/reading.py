"""What a tracker's reading calls give, asked of the store each time: live runs, other processes' and imported ones alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from runfolio.convert import lab_folder
from runfolio.convert.lab_runs import entry_of, metrics_of, params_of, runs_of
from runfolio.convert.view import snapshot
from runfolio.dialects.lab.tracking.base_dir import BaseDir
from runfolio.errors import MissingExtra, RunNotFound
from runfolio.model.names import shown
from runfolio.query.best import best_of
from runfolio.query.run import Run

Found = dict[str, Any]


def metadata(base: BaseDir, experiment: str | None = None) -> list[Found]:
    """Give the metadata of the runs, in the order they were created."""
    return [entry_of(run, number, base.named) for number, run in _runs(base, experiment)]


def whole_run(base: BaseDir, text: str) -> Found | None:
    """Give a run's metadata, params and metrics; None where there is none of this number."""
    run_id = base.run_id(text)
    return next((_whole(base, number, run) for number, run in _runs(base) if run.id == run_id), None)


def whole_runs(base: BaseDir, experiment: str) -> list[Found]:
    """Give the whole runs of an experiment, in the order they were created."""
    return [_whole(base, number, run) for number, run in _runs(base, experiment)]


def best_run(base: BaseDir, metric: str, experiment: str | None, mode: str) -> Found | None:
    """Give the run whose last value of a metric is the best; None where no run has it."""
    best = best_of(_last_values(base, metric, experiment), mode)
    return None if best is None else _whole(base, *best[0])


def table(base: BaseDir, texts: Iterable[str]) -> Any:
    """Give a DataFrame with a row for each run: its params, and the last value of each metric.

    Raises:
        RunNotFound: no run has one of the numbers. MissingExtra: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as missing:
        raise MissingExtra("compare_runs needs pandas; run: pip install 'runfolio[pandas]'") from missing
    return pandas.DataFrame([_row(needed(base, text)) for text in texts])


def needed(base: BaseDir, text: str) -> Found:
    """Give a whole run.

    Raises:
        RunNotFound: there is none of this number.
    """
    found = whole_run(base, text)
    if found is None:
        raise RunNotFound(unknown(base, text))
    return found


def unknown(base: BaseDir, text: object) -> str:
    """Say that there is no such run, and which there are."""
    numbers = [lab_folder.text_of(number) for number, _ in lab_folder.members(base.layout, base.scope)]
    there = f"it has {', '.join(numbers[-5:])}" if numbers else "it has none"
    return f"no run {shown(text)} in {base.named}; {there}. list_runs() gives all"


def last_values(run: Found) -> dict[str, Any]:
    """Give the last value of each metric, as logged."""
    return {name: history[-1]["value"] for name, history in run["metrics"].items() if history}


def _runs(base: BaseDir, experiment: str | None = None) -> list[tuple[int, Run]]:
    base.take_in()
    found = runs_of(base.layout, base.path)
    return found if experiment is None else [(number, run) for number, run in found if run.experiment == experiment]


def _whole(base: BaseDir, number: int, run: Run) -> Found:
    now = snapshot(base.layout, run.id)
    params = params_of(now.state.params, now.state.records)
    return {**entry_of(run, number, base.named), "params": params, "metrics": metrics_of(now.entries)}


def _last_values(base: BaseDir, metric: str, experiment: str | None) -> Iterator[tuple[tuple[int, Run], float]]:
    for number, run in _runs(base, experiment):
        histories = metrics_of(snapshot(base.layout, run.id).entries)
        value = histories[metric][-1]["value"] if metric in histories else None
        if isinstance(value, (int, float)):
            yield (number, run), value


def _row(run: Found) -> Found:
    about = {key: run[key] for key in ("run_id", "experiment_name", "status", "created_at")}
    return {**about, **run["params"], **last_values(run)}
