"""Tables of what the scenarios saw, with ratios to the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

BASELINE = "raw-orjson-flush"
Results = dict[str, list[dict[str, Any]]]


class Column(NamedTuple):
    """A figure of a table; with `ratio` a second cell tells it against the baseline."""

    title: str
    key: str
    ratio: bool = False


HOT = (
    Column("calls", "calls"),
    Column("p50 µs", "p50_us", True),
    Column("p99 µs", "p99_us"),
    Column("all-in µs", "all_in_us", True),
)
TABLES: dict[str, tuple[str, Sequence[Column]]] = {
    "hot1": ("log of 1 metric", HOT),
    "hot10": ("log of 10 metrics", HOT),
    "wide": ("log of 1,000 metrics", HOT),
    "e2e": ("process: import, start, 1 log, finish, exit", (Column("wall ms", "wall_ms", True),)),
    "read_one": ("read one history", (Column("points", "points"), Column("ms", "read_ms", True))),
    "many": (
        "many runs × 10 params × 5 metrics × 100 steps",
        (
            Column("make s", "make_s"),
            Column("filter + order ms", "search_ms", True),
            Column("one metric, all runs ms", "metric_ms", True),
            Column("best ms", "best_ms", True),
        ),
    ),
}
CRASHES = {"crash_self": "SIGKILL by itself after 10,000 calls", "crash_loop": "SIGKILL by the parent, tight loop"}


def render(report: dict[str, Any]) -> str:
    """Render all tables as markdown."""
    results = report["results"]
    parts = [f"{report['date']} · {report['machine']}. Medians; × is against {BASELINE} of the same turns."]
    parts += [_figures(*TABLES[name], results[name]) for name in TABLES if name in results]
    if any(name in results for name in CRASHES):
        parts.append(_crashes(results))
    rows = [[name, "; ".join(facts)] for name, facts in report["trackers"].items()]
    parts.append(_table("What was measured", ["tracker", "packages and configuration"], rows))
    return "\n\n".join(parts) + "\n"


def _figures(title: str, columns: Sequence[Column], results: Results) -> str:
    head = ["tracker"] + [
        cell for column in columns for cell in ([column.title, "×"] if column.ratio else [column.title])
    ]
    return _table(title, head, [_row(name, columns, results) for name in results])


def _row(name: str, columns: Sequence[Column], results: Results) -> list[str]:
    error = next((result["error"] for result in results[name] if "error" in result), None)
    if error:
        return [name, error.replace("|", "/")]
    cells = [name]
    for column in columns:
        ours = [result[column.key] for result in results[name] if column.key in result]
        cells.append(_number(median(ours)) if ours else "–")
        if column.ratio:
            theirs = [result[column.key] for result in results[BASELINE]]
            cells.append(f"{_number(median(a / b for a, b in zip(ours, theirs, strict=True)))}×")
    return cells


def _crashes(results: dict[str, Results]) -> str:
    """Tell lost / acknowledged of each kill; −1 is the call in flight that was kept."""
    names = next(results[name] for name in CRASHES if name in results)
    rows = []
    for tracker in names:
        cells = [tracker]
        for name in CRASHES:
            kills = results.get(name, {}).get(tracker, [])
            cells.append(", ".join(map(_loss, kills)) or "–")
        rows.append(cells)
    return _table("Lost calls / acknowledged calls", ["tracker", *CRASHES.values()], rows)


def _loss(kill: dict[str, Any]) -> str:
    if kill["recovered"] is None:
        return f"unreadable/{kill['acked']}"
    return f"{kill['acked'] - kill['recovered']}/{kill['acked']}"


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"### {title}", "", "| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = [*row, *[""] * (len(head) - len(row))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
