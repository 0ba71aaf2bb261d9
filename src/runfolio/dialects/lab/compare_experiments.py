"""Compare the runs of an experiment in the terminal: `python -m runfolio.dialects.lab.compare_experiments`.

    … ctr_model                             a table, the best run, its params and final metrics
    … ctr_model plot val_auc run_001 …      curves, in experiments/metric_comparison_val_auc.png
    … --list                                all experiments

Nothing is written but the picture. Exit codes: 0 fine, an experiment without runs too; 1 nothing to plot; 2 wrong usage; 3 our failure.
Source: the lab document, "Compare Experiments", "Visualize Training Curves", "List All Experiments".
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from runfolio.dialects.lab.tracking.base_dir import BaseDir
from runfolio.errors import MissingExtra, RunfolioError, UsageError
from runfolio.model.names import printable

Found = dict[str, Any]

WIDTH = 80
RULE = "=" * WIDTH
BEST_BY = ("test_auc", "val_auc", "test_accuracy")
EACH_MAX = 5  # params, and metrics, in the table
IDS_MAX = 5
_GAP = "  "


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        base = BaseDir(asked.base_dir)
        if asked.list:
            lines = list(experiments(base))
        elif asked.experiment is None:
            raise UsageError("name an experiment, or --list")
        elif asked.plot is None:
            lines = list(comparison(base, asked.experiment))
        elif asked.metric is None:
            raise UsageError("plot which metric? … plot <metric> [run ids]")
        else:
            return _plot(base, asked.experiment, asked.metric, asked.run_ids)
    except UsageError as wrong:
        return _complain(wrong, 2)
    except (RunfolioError, OSError) as failed:
        return _complain(failed, 3)
    print("\n".join(lines))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="compare_experiments", description="Compare the runs of an experiment.")
    parser.add_argument("--list", action="store_true", help="list all experiments")
    parser.add_argument("--base-dir", default="experiments", help="the tracker's folder (default: experiments)")
    parser.add_argument("experiment", nargs="?", help="name of the experiment")
    parser.add_argument("plot", nargs="?", choices=["plot"], help="draw curves instead of a table")
    parser.add_argument("metric", nargs="?", help="what to draw")
    parser.add_argument("run_ids", nargs="*", help="runs to draw; default: all of the experiment")
    return parser


def _complain(error: Exception, code: int) -> int:
    print(f"compare_experiments: {printable(str(error))}", file=sys.stderr)
    return code


# ---------------------------------------------------------------------------------------------------------- the table


def comparison(base: BaseDir, experiment: str) -> Iterator[str]:
    """Give the lines that compare the runs of an experiment."""
    runs = _runs(base, experiment)
    if not runs:
        yield _no_runs(base, experiment)
        return
    metric = next((name for name in BEST_BY if any(name in _finals(run) for run in runs)), None)
    yield f"Found {len(runs)} runs for '{printable(experiment)}'"
    yield from ("", RULE, f"EXPERIMENT COMPARISON: {printable(experiment)}", RULE)
    ordered = runs if metric is None else sorted(runs, key=lambda run: _place(run, metric))
    yield from _table(ordered, metric)
    if metric is None:
        yield from ("", f"No run has {', '.join(BEST_BY[:-1])} or {BEST_BY[-1]}: none is called the best.")
    else:
        yield from _best(ordered[0], metric)


def _best(run: Found, metric: str) -> Iterator[str]:
    yield from ("", RULE, "BEST RUN:", RULE)
    yield f"Run ID: {run['run_id']}"
    yield f"Best {metric}: {_number(_finals(run).get(metric))}"
    yield from ("", "Parameters:")
    yield from (f"  {printable(str(name))}: {printable(str(value))}" for name, value in run["params"].items())
    yield from ("", "Final Metrics:")
    yield from (f"  {printable(name)}: {_number(value)}" for name, value in _without_step(run).items())


def _place(run: Found, metric: str) -> tuple[bool, float]:
    """Order the best first; a run that has no number there is last."""
    value = _finals(run).get(metric)
    has = isinstance(value, (int, float)) and value == value
    return not has, -value if has else 0.0  # type: ignore[operator]


def _table(runs: Sequence[Found], metric: str | None) -> Iterator[str]:
    """Give the table: the number and status, params and final metrics in the order logged, as many as fit."""
    fixed = [["run_id", *(run["run_id"] for run in runs)], ["status", *(run["status"] for run in runs)]]
    params = [_column(name, [run["params"] for run in runs], str) for name in _names(run["params"] for run in runs)]
    metrics = [_column(name, [_finals(run) for run in runs], _number) for name in _shown_metrics(runs, metric)]
    shown_params, shown_metrics = _fitting(fixed, params, metrics, metric)
    columns = [*fixed, *shown_params, *shown_metrics]
    widths = [max(map(len, column)) for column in columns]
    for row in zip(*columns, strict=True):
        yield _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _fitting(
    fixed: list[list[str]], params: list[list[str]], metrics: list[list[str]], metric: str | None
) -> tuple[list[list[str]], list[list[str]]]:
    """Choose the columns that fit into the width: in turn one of the params and one of the metrics, each kind up to the first that does not fit."""
    must = [column for column in metrics if column[0] == metric]
    left = WIDTH - sum(_width(column) for column in (*fixed, *must)) + len(_GAP)
    queues = [params[:EACH_MAX], metrics[:EACH_MAX]]
    taken: list[list[list[str]]] = [[], list(must)]
    while queues[0] or queues[1]:
        for kind, queue in enumerate(queues):
            column = queue.pop(0) if queue else None
            if column is None or column in must:
                continue
            if _width(column) > left:
                queue.clear()
            else:
                taken[kind].append(column)
                left -= _width(column)
    return taken[0], [column for column in metrics if column in taken[1]]


def _width(column: list[str]) -> int:
    return max(map(len, column)) + len(_GAP)


def _column(name: str, rows: Sequence[Found], written: Any) -> list[str]:
    return [printable(str(name)), *(printable(written(row[name])) if name in row else "-" for row in rows)]


def _names(rows: Any) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _shown_metrics(runs: Sequence[Found], metric: str | None) -> list[str]:
    """Give the metrics for the table: those without a step first; the one that runs are ordered by is among the first few."""
    names = _names(_without_step(run) for run in runs)
    if metric is not None and metric not in names[:EACH_MAX]:
        names = [*names[: EACH_MAX - 1], metric]
    return names


def _finals(run: Found) -> Found:
    """Give the last value of each metric."""
    return {name: history[-1]["value"] for name, history in run["metrics"].items() if history}


def _without_step(run: Found) -> Found:
    """Give the final metrics: those logged without a step; of a run that has none, the last value of each."""
    finals = _finals(run)
    stepless = {name: value for name, value in finals.items() if run["metrics"][name][-1]["step"] is None}
    return stepless or finals


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "-" if value is None else str(value)


# ------------------------------------------------------------------------------------------------------------ the list


def experiments(base: BaseDir) -> Iterator[str]:
    """Give the lines that list all experiments."""
    from runfolio.dialects.lab.tracking import reading

    by_name: dict[str, list[Found]] = {}
    for entry in reading.metadata(base):
        by_name.setdefault(str(entry["experiment_name"]), []).append(entry)
    yield from (RULE, "ALL EXPERIMENTS", RULE)
    if not by_name:
        yield from ("", _no_runs(base, None))
    for name, entries in by_name.items():
        ids = [entry["run_id"] for entry in entries]
        more = f" ... ({len(ids) - IDS_MAX} more)" if len(ids) > IDS_MAX else ""
        yield from ("", f"{printable(name)}:")
        yield f"  Total runs: {len(ids)}"
        yield f"  Completed: {sum(entry['status'] == 'completed' for entry in entries)}"
        yield f"  Run IDs: {', '.join(ids[:IDS_MAX])}{more}"


def _no_runs(base: BaseDir, experiment: str | None) -> str:
    if experiment is None:
        return (
            f"No experiments in {base.named} yet: ExperimentTracker('{base.named}').create_run(...) begins the first."
        )
    return f"No runs found for '{printable(experiment)}' in {base.named}; --list shows the experiments there are."


def _runs(base: BaseDir, experiment: str) -> list[Found]:
    """Give the whole runs of an experiment, in the order of their numbers."""
    from runfolio.dialects.lab.tracking import reading

    return reading.whole_runs(base, experiment)


# ------------------------------------------------------------------------------------------------------------- the plot


def _plot(base: BaseDir, experiment: str, metric: str, texts: Sequence[str]) -> int:
    """Draw a metric of several runs over the steps."""
    runs = {run["run_id"]: run for run in _runs(base, experiment)}
    if not runs:
        print(_no_runs(base, experiment))
        return 0
    curves = []
    for text in texts or runs:
        run = runs.get(text)
        points = [] if run is None else _points(run["metrics"].get(metric, []))
        if points:
            curves.append((_label(runs[text]), points))
        else:
            print(f"Warning: {_why_not(run, experiment, metric, text)}")
    if not curves:
        print(f"Nothing to plot: no run of '{printable(experiment)}' has steps of {printable(metric)}.")
        return 1
    path = os.path.join(base.named, f"metric_comparison_{metric.replace('/', '_')}.png")
    _draw(curves, metric, experiment, path)
    print(f"Plot saved to {path}")
    return 0


def _points(history: Sequence[Found]) -> list[tuple[int, float]]:
    return [
        (entry["step"], entry["value"])
        for entry in history
        if entry["step"] is not None and isinstance(entry["value"], (int, float))
    ]


def _why_not(run: Found | None, experiment: str, metric: str, text: str) -> str:
    if run is None:
        return f"{printable(text)} is no run of '{printable(experiment)}', skipped"
    return f"{printable(text)} has no steps of {printable(metric)}, skipped"


def _label(run: Found) -> str:
    for name in ("learning_rate", "lr"):
        if name in run["params"]:
            return f"{run['run_id']} (lr={run['params'][name]})"
    return str(run["run_id"])


def _draw(curves: Sequence[tuple[str, list[tuple[int, float]]]], metric: str, experiment: str, path: str) -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise MissingExtra("plot needs matplotlib; run: pip install 'runfolio[plot]'") from missing
    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.add_subplot()
    for label, points in curves:
        axes.plot([step for step, _ in points], [value for _, value in points], marker="o", markersize=3, label=label)
    axes.set(xlabel="Step", ylabel=metric, title=f"{experiment}: {metric}")
    axes.grid(alpha=0.3)
    axes.legend()
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    sys.exit(main())
