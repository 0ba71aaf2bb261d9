"""Render groups of runs and what came out of comparing them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from runfolio.cli.render import values
from runfolio.cli.render.forms import latex_lines, markdown_lines, markdown_text
from runfolio.cli.render.runs import param_text, points_aligned, titled
from runfolio.cli.render.screen import BOLD, DIM, Screen
from runfolio.cli.render.spreadsheet import csv_text
from runfolio.cli.render.table import Column, column, fitting, plain_table
from runfolio.cli.render.text import shorten, wrap
from runfolio.model.ids import short
from runfolio.model.names import printable

if TYPE_CHECKING:
    from runfolio.model.params import Value
    from runfolio.query.groups import Group, Groups
    from runfolio.query.run import Run
    from runfolio.query.statistics.describe import Interval
    from runfolio.query.statistics.difference import Difference
    from runfolio.query.statistics.pairs import Pair
    from runfolio.query.statistics.verdict import Verdict

_LABEL, _NAMED, _MARKS_PROSE = 60, 5, 160
_FIELDS = ("mean", "sd", "median", "iqm", "best", "worst")
_REASONS = {
    "running": ("still running", "left out"),
    "no value": ("without a value", "left out"),
    "NaN": ("at NaN", "left out"),
    "infinite": ("at infinity", "left out"),
    "repeated": ("with the seed and params of a newer one", "left out"),
    "unfinished": ("not finished", "counted"),
    "several ranks": ("with several ranks", "counted by their mean"),
}


def number(value: float | None) -> str:
    """Render a statistic: four digits, as its last ones are noise."""
    if value is None:
        return "-"
    return f"{value:.4g}"


def p_text(p: float) -> str:
    """Render a p-value with its sign: `= 0.031`, `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"= {p:.2g}" if p < 0.1 else f"= {p:.2f}"


def label(found: Groups, group: Group) -> str:
    """Name a group by what sets it apart."""
    return printable(", ".join(_words(found, group)), _LABEL) or "all runs"


def _words(found: Groups, group: Group) -> list[str]:
    told = [(key, group.params[key]) for key in found.varying or found.by if key in group.params]
    missing = [f"no {key}" for key in found.varying if key not in group.params]
    return [f"{key}={param_text(value)}" for key, value in told] + missing


# ----------------------------------------------------------------------------------------------------- for a person


def groups_lines(found: Groups, to: Screen, wide: bool = False) -> list[str]:
    """Render groups as a table, a verdict for each pair, and what was left out."""
    columns = _columns(found)
    room = 10**9 if wide else to.columns
    fits = max(fitting(columns, room), len(found.varying) + 2)
    table = plain_table(columns[:fits], to) if fitting(columns[:fits], room) == fits else _upright(found, to)
    hidden = [one.title for one in columns[fits:]]
    lines = [*_wrapped(_heading(found), to), "", *table]
    if hidden:
        lines += wrap(
            f"{', '.join(hidden)} {'do' if len(hidden) > 1 else 'does'} not fit: --wide shows all.".split(), to.columns
        )
    told = [line for pair in found.pairs for line in _wrapped(to.paint(*_styled(found, pair)), to, "  ")]
    notes = [line for note in _notes(found) for line in _wrapped(note, to)]
    return lines + ([""] if told else []) + told + ([""] if notes else []) + notes


def _heading(found: Groups) -> str:
    which = "lowest" if found.goal == "min" else "highest"
    at = f"the {found.at} value" if not found.at.startswith("step") else f"the value at {found.at}"
    return f"{printable(found.metric, _LABEL)}, {at} of each run, {which} is best; {printable(found.over_words, _MARKS_PROSE)}"


def _columns(found: Groups, whole: bool = False) -> list[Column]:
    groups = found.groups
    made = [_param_column(key, groups, whole) for key in found.varying]
    made.append(Column("n", [str(group.description.n) for group in groups], True))
    best = [BOLD if at == 0 and group.description.mean is not None else "" for at, group in enumerate(groups)]
    made.append(column("mean", [_mean(group) for group in groups], right=True, styles=best))
    made.append(column("95 % interval", [_interval(group.description.interval) for group in groups]))
    for name in _FIELDS[1:]:
        texts = [number(getattr(group.description, name)) for group in groups]
        made.append(column(name.upper() if name == "iqm" else name, points_aligned(texts), right=True))
    return made


def _param_column(key: str, groups: list[Group], whole: bool) -> Column:
    texts = ["-" if key not in group.params else param_text(group.params[key]) for group in groups]
    cut = titled(key, texts, all(isinstance(group.params.get(key, 0), int) for group in groups), whole=whole)
    return cut._replace(right=False)


def _mean(group: Group) -> str:
    """Give the mean; of one or two values those themselves."""
    if group.description.mean is not None:
        return number(group.description.mean)
    return " and ".join(number(float(value)) for value in sorted(group.description.values)) or "-"


def _interval(interval: Interval | None) -> str:
    return "-" if interval is None else f"{number(interval.low)} … {number(interval.high)}"


def _upright(found: Groups, to: Screen) -> list[str]:
    """Render each group as lines, where not even its first columns fit."""
    lines = []
    for group in found.groups:
        lines.append(to.paint(shorten(label(found, group), to.columns), BOLD))
        told = f"n = {group.description.n}, mean {_mean(group)}, interval {_interval(group.description.interval)}"
        lines += wrap(told.split(" "), to.columns, "  ")
    return lines


def _styled(found: Groups, pair: Pair) -> tuple[str, str]:
    return sentence(found, pair), "" if pair.verdict.p is not None else DIM


def sentence(found: Groups, pair: Pair) -> str:
    """Say what came out of one comparison."""
    a, b = (label(found, found.groups[at]) for at in (pair.a, pair.b))
    difference, verdict = pair.difference, pair.verdict
    if verdict.p is None:
        return f"{a} against {b}: {verdict.text}"
    head = (
        f"{a} is {verdict.word} than {b}"
        if verdict.more_seeds is None and verdict.text == verdict.word
        else (f"{a} against {b}: {verdict.text}")
    )
    return f"{head} ({'; '.join(_grounds(found, difference, verdict))})"


def _grounds(found: Groups, difference: Difference, verdict: Verdict) -> list[str]:
    assert difference.interval is not None and difference.effect is not None and verdict.p is not None
    value = number(difference.value)
    told = [f"difference {value}, 95 % interval {_interval(difference.interval)}"]
    pairs = f" of {difference.n_a} pairs" if difference.paired else ""
    cautious = (
        difference.caution > 2 and difference.p is not None and verdict.p > difference.p * found.comparisons * 1.01
    )
    after = [f"Holm for {found.comparisons} comparisons"] if found.comparisons > 1 else []
    after += ["caution, as the spreads differ"] if cautious else []
    own = f" {p_text(difference.p)}, which is" if cautious and difference.p is not None else ""
    final = p_text(verdict.p).removeprefix("= ") if own else p_text(verdict.p)
    told.append(f"{difference.test}{pairs}, p{own} {final}{' after ' + ' and '.join(after) if after else ''}")
    told.append(f"{difference.effect_name} = {number(difference.effect)}")
    return told


def _notes(found: Groups) -> list[str]:
    """Say what one should know of the runs before believing any of it."""
    notes = []
    if found.inside:
        inside = printable(", ".join(found.inside), _MARKS_PROSE)
        notes.append(f"! Inside the groups other params vary too: {inside}. --by them makes groups of one setting.")
    for reason, runs in {**found.left_out, **found.told}.items():
        what, done = _REASONS[reason]
        notes.append(f"! {values.count(len(runs), 'run')} {what}, {done}: {_named(runs)}.")
    if found.uncompared:
        more = values.count(found.uncompared, "group")
        notes.append(f"The best one is compared with the next {len(found.pairs)}; {more} further down not.")
    return notes


def _named(runs: list[Run]) -> str:
    names = [f"{short(run.id)} {printable(run.name, 30)}" if run.name else short(run.id) for run in runs[:_NAMED]]
    more = len(runs) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _wrapped(text: str, to: Screen, indent: str = "") -> list[str]:
    room = max(min(to.columns, 120), 20)
    return textwrap.wrap(text, room, subsequent_indent=indent, break_on_hyphens=False)


# ---------------------------------------------------------------------------------------------------- for a program


_TITLES = ("n", "nan", "infinite", "mean", "low", "high", "interval", "sd", "median", "iqm", "best", "worst")


def groups_csv(found: Groups, spreadsheet: bool) -> str:
    """Give groups as CSV, a row for each; the verdict is the one against the best group."""
    rows = [_row(found, at, group) for at, group in enumerate(found.groups)]
    titles = [f"params.{key}" for key in found.by] + [*_TITLES, "verdict", "p_holm"]
    return csv_text(titles, rows, spreadsheet)


def _row(found: Groups, at: int, group: Group) -> list[Value]:
    told = group.description
    ends = (told.interval.low, told.interval.high, told.interval.method) if told.interval else (None, None, None)
    against = next((pair for pair in found.pairs if pair.b == at and pair.a == 0), None)
    verdict = [_turned(against.verdict.word), against.verdict.p] if against else [None, None]
    counts = [told.n, told.nans, told.infinite, told.mean, *ends]
    rest = [told.sd, told.median, told.iqm, told.best, told.worst]
    return [*(group.params.get(key) for key in found.by), *counts, *rest, *verdict]


def _turned(word: str) -> str:
    """Say of the second group what was said of the first."""
    return {"better": "worse", "worse": "better"}.get(word, word)


def groups_markdown(found: Groups) -> list[str]:
    """Give groups as a Markdown table; the verdicts, and what one should know of the runs, as lists."""
    told = [f"- {markdown_text(sentence(found, pair))}" for pair in found.pairs]
    notes = [f"- {markdown_text(note)}" for note in _notes(found)]
    parts = [[markdown_text(_heading(found))], markdown_lines(_columns(found, whole=True)), told, notes]
    return [line for part in parts if part for line in ("", *part)][1:]


def groups_latex(found: Groups) -> list[str]:
    """Give groups as a LaTeX tabular; the verdicts, and what one should know of the runs, as comments."""
    told = [f"% {sentence(found, pair)}" for pair in found.pairs]
    notes = [f"% {note}" for note in _notes(found)]
    return [f"% {_heading(found)}", *latex_lines(_columns(found, whole=True)), *told, *notes]
