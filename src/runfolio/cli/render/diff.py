"""Render what differs between two runs."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from runfolio.cli.render import values
from runfolio.cli.render.runs import points_aligned
from runfolio.cli.render.screen import BOLD, Screen, status_mark
from runfolio.cli.render.spreadsheet import csv_text
from runfolio.cli.render.table import Column, column, plain_table
from runfolio.cli.render.text import pad, shorten, width, wrap
from runfolio.model.ids import short
from runfolio.model.names import printable
from runfolio.query.circumstances import SECTIONS
from runfolio.query.diff import ADDED, MOVED, REMOVED, UNKNOWN, Change
from runfolio.query.diff_facts import title_of

if TYPE_CHECKING:
    from runfolio.query.code_diff import FilePatch
    from runfolio.query.diff import Diff
    from runfolio.query.parting import MetricDiff
    from runfolio.query.run import Run

_LINES_MAX, _PATCH_MAX, KEY_MAX = 40, 30, 32
WHOLE = 1_000_000
_COMMIT = 12


def diff_lines(found: Diff, to: Screen, everything: bool) -> list[str]:
    """Render a comparison of two runs: in words, then section by section."""
    head = [] if found.is_same_run else [*_runs((("A", found.a), ("B", found.b)), to), ""]
    body = [line for told in found.words() for line in sentence(told, to)]
    for section in SECTIONS:
        told = section_lines(section, list(_change_lines(found, section, to, everything)), to, everything)
        if section == "code" and (code := _code(found, to, everything)):
            told = [*(told or ["", to.paint(section, BOLD)]), *code]
        body += told
    return [*head, *body, *_metrics(found, to, everything)]


def _runs(named: Iterable[tuple[str, Run]], to: Screen) -> list[str]:
    named = list(named)
    columns = [
        Column("", [name for name, _ in named], styles=[BOLD] * len(named)),
        Column("", [short(run.id) for _, run in named]),
        column("", [run.name or "-" for _, run in named]),
        Column("", [status_mark(run.status) for _, run in named]),
        Column("", [values.moment(run.created) for _, run in named]),
        Column("", [f"took {values.span(run.duration_s)}" for _, run in named]),
    ]
    return plain_table(columns, to)[1:]


def sentence(text: str, to: Screen) -> list[str]:
    return wrap(printable(text).split(" "), max(min(to.columns, 120), 20))


def section_lines(name: str, told: list[str], to: Screen, everything: bool) -> list[str]:
    if not told:
        return []
    kept = told if everything or len(told) <= _LINES_MAX else told[: _LINES_MAX - 1]
    more = [f"  … {len(told) - len(kept):,} more: --all shows them"] if len(kept) < len(told) else []
    room = WHOLE if everything else max(to.columns, 20)
    return ["", to.paint(name, BOLD), *(shorten(line, room).rstrip() for line in kept), *more]


def _change_lines(found: Diff, section: str, to: Screen, everything: bool) -> Iterator[str]:
    """Render each change in a line, or in one for each run where that is too narrow."""
    changes = found.changes.get(section, [])
    names = [shorten(one.key, WHOLE if everything or section == "data" else KEY_MAX) for one in changes]
    wide = max(map(width, names), default=0)
    for name, one in zip(names, changes, strict=True):
        text = _change_text(section, one)
        if " → " not in text or wide + 4 + width(text) <= to.columns:
            yield f"  {pad(name, wide)}  {text}"
            continue
        for label, run, value in ((name, "A", one.a), ("", "B", one.b)):
            yield f"  {pad(label, wide)}  {run} {shorten(value_text(section, one.key, value), WHOLE)}"


def _change_text(section: str, one: Change) -> str:
    if one.key == "untracked":
        return _untracked(one)
    if one.key == "patch":
        return "not the same"
    a, b = (shorten(value_text(section, one.key, value), WHOLE) for value in (one.a, one.b))
    if one.kind == ADDED:
        return f"{b}  only in B"
    if one.kind == REMOVED:
        return f"{a}  only in A"
    if one.kind == MOVED:
        return f"the same bytes at {shorten(one.b['path'], WHOLE)}"
    if one.kind == UNKNOWN:
        return "has no hash, so whether it is the same is not known"
    return f"{a} → {b}"


def value_text(section: str, key: str, value: Any) -> str:
    if section == "data" and isinstance(value, dict):
        path = f"{value['path']} " if "path" in value else ""
        digest = value["sha256"][:8] if value["sha256"] else "no hash"
        return f"{path}{digest} ({values.size(value['size_bytes'])})"
    if key == "commit" and isinstance(value, str):
        return value[:_COMMIT]
    if key == "command" and isinstance(value, list):
        return shlex.join(map(str, value))
    if key.endswith("_bytes") and isinstance(value, int) and section == "machine":
        return values.size(value)
    return {True: "yes", False: "no"}[value] if key == "dirty" and isinstance(value, bool) else values.param(value)


def _untracked(one: Change) -> str:
    """Say which names of files that git does not track only one of them has."""
    a, b = ({str(name) for name in value} if isinstance(value, list) else set() for value in (one.a, one.b))
    told = [(sorted(a - b), "only in A"), (sorted(b - a), "only in B")]
    return "; ".join(f"{', '.join(names)} {where}" for names, where in told if names)


def _code(found: Diff, to: Screen, everything: bool) -> list[str]:
    code = found.code
    told: list[str] = []
    for file in code.files:
        told += ["", *_file_lines(file, everything)] if told else _file_lines(file, everything)
    told += [f"! {note}" for note in code.notes]
    room = WHOLE if everything else max(to.columns, 20)
    shown = [to.paint(f"  {shorten(line, room - 2)}".rstrip(), _patch_style(line)) for line in told]
    return [*shown, f"  Between the commits: {printable(code.command)}"] if code.command else shown


def _file_lines(file: FilePatch, everything: bool) -> list[str]:
    words = {ADDED: "uncommitted changes only in B", REMOVED: "uncommitted changes only in A"}
    head = f"{file.path}: {words.get(file.kind, 'other uncommitted changes')}"
    if file.lines is None:
        return [f"{head}; too many lines to set beside each other"]
    begin = next((at for at, line in enumerate(file.lines) if line.startswith("@@")), 0)
    body = file.lines[begin:]
    kept = body if everything or len(body) <= _PATCH_MAX else body[: _PATCH_MAX - 1]
    more = [f"… {len(body) - len(kept):,} more lines: --all shows them"] if len(kept) < len(body) else []
    return [head, *(f"  {line}" for line in kept), *more]


def _patch_style(line: str) -> str:
    return {"  +": "32", "  -": "31", "  @": "36"}.get(line[:3], "")


# ---------------------------------------------------------------------------------------------------- their metrics


def _metrics(found: Diff, to: Screen, everything: bool) -> list[str]:
    equal = f"{values.count(len(found.equal_metrics), 'metric')} equal at every step"
    if not found.metrics:
        return []
    shown = found.metrics if everything or len(found.metrics) <= _LINES_MAX else found.metrics[: _LINES_MAX - 1]
    table = plain_table(_metric_columns(shown), to)
    told = [shorten(line, WHOLE) if not to.colours else line for line in table]
    if max(map(width, told)) > to.columns and not to.colours and not everything:
        told = [line for one in shown for line in _upright(one, to)]
    more = len(found.metrics) - len(shown)
    tail = [f"… {more:,} more metrics: --all shows them"] if more else []
    return [
        "",
        to.paint("metrics", BOLD),
        *(f"  {line}" for line in told),
        *tail,
        *([equal + "."] if found.equal_metrics else []),
    ]


def _metric_columns(metrics: list[MetricDiff]) -> list[Column]:
    made = [column("metric", [title_of(one) for one in metrics], limit=KEY_MAX)]
    pairs = [("last", [one.last for one in metrics])]
    if any(one.goal for one in metrics):
        pairs.append(("best", [one.best for one in metrics]))
    for which, told in pairs:
        for place, name in enumerate("AB"):
            texts = [values.number(pair[place]) for pair in told]
            made.append(Column(f"{which} {name}", points_aligned(texts), True))
        made.append(Column("B - A", points_aligned([difference(pair) for pair in told]), True))
    return [*made, Column("curves", [_state(one) for one in metrics])]


def _upright(one: MetricDiff, to: Screen) -> list[str]:
    pairs = [("last", one.last)] + ([("best", one.best)] if one.goal else [])
    told = [f"{which} {values.number(a)} → {values.number(b)} ({difference((a, b))})" for which, (a, b) in pairs]
    return wrap([*title_of(one).split(" "), *", ".join([*told, _state(one)]).split(" ")], max(to.columns - 2, 20), "")


def difference(pair: tuple[Any, Any]) -> str:
    a, b = pair
    if a is None or b is None:
        return "-"
    difference = float(b) - float(a)
    return "0" if difference == 0 else f"{'+' if difference > 0 else ''}{values.number(difference)}"


def _state(one: MetricDiff) -> str:
    """Say where two curves part, and by how much."""
    if one.in_one_only:
        return f"only in {one.in_one_only}"
    if one.parting:
        parting = one.parting
        where = "in the points without a step" if parting.step is None else f"at step {parting.step:,}"
        by = (
            f"by {_exactly(parting.difference)}"
            if parting.difference == parting.difference
            else (f"{values.number(parting.a)} and {values.number(parting.b)}")
        )
        return f"part {where}, {by}"
    if not one.common:
        return "no step in common"
    longer = [f"{points - one.common:,} more in {name}" for name, points in zip("AB", one.points, strict=True)]
    told = [text for text, points in zip(longer, one.points, strict=True) if points > one.common]
    return f"equal at {one.common:,} steps, {' and '.join(told)}" if told else "equal"


def _exactly(difference: float) -> str:
    """Render how far curves part: where they have just parted, that is often the last digit."""
    return f"{difference:+.3g}"


# ------------------------------------------------------------------------------------------------------ for programs


def diff_csv(found: Diff, spreadsheet: bool) -> str:
    """Give a comparison of two runs as CSV: a row for each change and each metric that is not equal."""
    rows = [[section, one.key, one.kind, one.a, one.b] for section, ones in found.changes.items() for one in ones]
    rows += [["code", f"changes of {one.path}", one.kind, None, None] for one in found.code.files]
    rows += [["metrics", title_of(one), _state(one), *one.last] for one in found.metrics]
    return csv_text(["section", "key", "change", "a", "b"], rows, spreadsheet)
